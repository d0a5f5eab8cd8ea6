"""The application's tables: only the columns that boardcast needs.

Rows of `opportunities` are read as JSON made by PostgreSQL (``to_jsonb``), so an adopted table's own columns travel too.
"""

from sqlalchemy import CheckConstraint, Column, Date, DateTime, ForeignKey, Index, Integer, Numeric, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from db.models.base import NOW, Base

users = Table(
    "users",
    Base.metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text),
    Column("email", Text),
)

boards = Table(
    "boards",
    Base.metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("phases", JSONB, nullable=False, comment='The columns of the board, in order: [{"id": …, "name": …}]'),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=NOW),
    comment="A sales pipeline.",
)

board_members = Table(
    "board_members",
    Base.metadata,
    Column("board_id", ForeignKey("boards.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column(
        "role", Text, CheckConstraint("role IN ('viewer', 'editor', 'admin')", "board_members_role"), nullable=False
    ),
    Index("board_members_user_id", "user_id"),
    comment="Who sees which board. A change takes effect on open connections, at its place in the log.",
)

opportunities = Table(
    "opportunities",
    Base.metadata,
    Column("id", Text, primary_key=True, server_default=text("(gen_random_uuid())::text")),
    Column("board_id", ForeignKey("boards.id", ondelete="CASCADE"), nullable=False, server_default="main"),
    Column("title", Text, nullable=False, server_default=""),
    Column("company", Text),
    Column("contact", Text),
    Column("value", Numeric(14, 2)),
    Column("currency", Text, nullable=False, server_default="BRL"),
    Column("phase", Text, nullable=False, server_default=""),
    Column("position", Text, nullable=False, server_default="a0"),  # order in its phase: a fractional index key
    Column("owner_id", Text),
    Column("probability", Integer),
    Column("expected_close_date", Date),
    Column("notes", Text),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=NOW),
    Column("version_number", Integer, nullable=False, server_default="1"),
    Column("last_modified_by", Text),
    Column("last_sync_at", DateTime(timezone=True), nullable=False, server_default=NOW),
    Index("feed_opportunities_board_id", "board_id"),
)

user_presence = Table(
    "user_presence",
    Base.metadata,
    Column("id", Text, primary_key=True, server_default=text("(gen_random_uuid())::text")),
    Column("user_id", Text, nullable=False),
    Column("user_name", Text, nullable=False),
    Column("opportunity_id", Text),
    Column("board_id", Text),
    Column("action", Text, CheckConstraint("action IN ('editing', 'viewing')", "user_presence_action"), nullable=False),
    Column("started_at", DateTime(timezone=True), nullable=False, server_default=NOW),
    Column("last_activity", DateTime(timezone=True), nullable=False, server_default=NOW),
    Column("connection", Text, nullable=False),
    Column("instance", Text, nullable=False),
    Column("base_version", Integer),
    CheckConstraint("num_nonnulls(opportunity_id, board_id) = 1", "user_presence_place"),
    CheckConstraint("action = 'viewing' OR opportunity_id IS NOT NULL", "user_presence_edits"),
    Index("user_presence_opportunity_id", "opportunity_id"),
    Index("user_presence_user_id", "user_id"),
    comment="Who has which opportunity open, or looks at which board and at none of its opportunities: leases, "
    "renewed by the service that holds the connection.",
    prefixes=["UNLOGGED"],
)
