"""The tables of the board, for queries built with SQLAlchemy: only the columns that such a query uses.

The schema is not described here. It is in db/sql, and as pg_dump writes it in db/migrations/schema.sql. A row of opportunities is
read as JSON that PostgreSQL makes (``to_jsonb``), so the application's own columns are in it too.
"""

from sqlalchemy import Boolean, Date, DateTime, Integer, Numeric, Text, column, table
from sqlalchemy.dialects.postgresql import JSONB

users = table("users", column("id", Text), column("name", Text), column("email", Text), schema="public")

boards = table(
    "boards",
    column("id", Text),
    column("name", Text),
    column("phases", JSONB),
    column("created_at", DateTime(timezone=True)),
    column("currency", Text),
    column("archived_at", DateTime(timezone=True)),
    column("close_reasons", JSONB),
    column("stale_days", Integer),
    column("version_number", Integer),
    schema="feed",
)

board_members = table(
    "board_members", column("board_id", Text), column("user_id", Text), column("role", Text), schema="feed"
)

opportunity_details = table(
    "opportunity_details",
    column("opportunity_id", Text),
    column("board_id", Text),
    column("closed_at", DateTime(timezone=True)),
    column("close_reason", Text),
    column("next_activity", Text),
    column("next_activity_date", Date),
    schema="feed",
)

opportunities = table(
    "opportunities",
    column("id", Text),
    column("board_id", Text),
    column("title", Text),
    column("company", Text),
    column("contact", Text),
    column("value", Numeric(14, 2)),
    column("currency", Text),
    column("phase", Text),
    column("position", Text),
    column("owner_id", Text),
    column("probability", Integer),
    column("expected_close_date", Date),
    column("notes", Text),
    column("version_number", Integer),
    column("last_modified_by", Text),
    schema="public",
)

adopted = table("adopted", column("role", Text), column("created", Boolean), schema="feed")

ALL = (users, boards, board_members, opportunities, opportunity_details)
