"""The tables of the CRM, the log, its triggers, and who may do what.

An existing users/opportunities pair is adopted: what it lacks is added and recorded, and taken away again on the way down.
"""

import json

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from db.sqlfiles import sql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ADOPTABLE = ("users", "opportunities")
FUNCTIONS = (
    "row_key",
    "changes",
    "new_id",
    "ring",
    "lost_column",
    "leave_out",
    "row_image",
    "capture",
    "guard_key",
    "name_author",
    "detach",
    "check_table",
    "check_key",
    "attach",
    "version_opportunity",
    "tell_presence",
    "era_now",
    "era_since",
    "turn",
    "make_partition",
    "relation_name",
    "plain_relations",
    "unseen",
    "identify",
    "reset_feed",
    "prune",
    "keep",
    "shown",
    "parse_cursor",
    "has_seen",
    "cursor_fault",
    "user_place",
    "realtime",
    "set_bell",
    "set_capture",
    "row_hash",
    "checkpoint_seen",
    "checkpoint",
    "report_gap",
    "trigger_arguments",
    "fed_columns",
    "reread",
    "verify_log",
    "verify_rows",
    "repair",
    "seq_since",
    "log_pieces",
)
VIEWS = (
    "opportunity_versions",
    "editing",
    "trigger_log",
    "listeners",
    "acks",
    "lag",
    "triggers",
    "indexes",
    "gaps",
    "retention",
    "health",
)
READERS = ("tail", "history", "explain", "explain_cursor")  # functions that stand on the views


def upgrade() -> None:
    before = _columns()
    op.execute("CREATE SCHEMA feed")
    op.execute("COMMENT ON SCHEMA feed IS 'boardcast: the log of changes, its triggers and its readers'")
    _run(
        "grants/roles",
        "tables/crm",
        "tables/feed",
        "tables/pacer",
        "tables/flags",
        "tables/instances",
        "tables/attached",
        "tables/sweeps",
        "tables/gap_reports",
        *(f"functions/{name}" for name in FUNCTIONS),
    )
    for table, after in _columns().items():
        if had := before.get(table):
            op.execute(
                sa.text("INSERT INTO feed.adopted (relation, added) VALUES (:relation, :added)").bindparams(
                    sa.bindparam("relation", table), sa.bindparam("added", sorted(after - had), JSONB())
                )
            )
    op.execute("SELECT feed.make_partition(1), feed.make_partition(2)")
    op.execute("INSERT INTO feed.identity (feed_id, system_identifier, timeline, reason) SELECT '', '', '', ''")
    op.execute("SELECT feed.identify()")
    _run(
        *(f"views/{name}" for name in VIEWS),
        *(f"functions/{name}" for name in READERS),
        *("triggers/opportunities_version", "triggers/user_presence", "triggers/attach_crm"),
    )
    _run("grants/privileges", "grants/ownership")


def downgrade() -> None:
    adopted = {
        row.relation: json.loads(row.added) if isinstance(row.added, str) else row.added
        for row in op.get_bind().execute(sa.text("SELECT relation, added FROM feed.adopted"))
    }
    op.execute(
        "SELECT feed.detach(f.relation) FROM (SELECT DISTINCT relation FROM feed.triggers"
        " WHERE state <> 'missing' AND function <> 'version_opportunity') AS f"
    )
    op.execute("DROP TRIGGER zz_feed_version ON opportunities")
    op.execute("DROP VIEW opportunity_versions, feed.editing")
    op.execute("DROP TABLE user_presence")
    op.execute("DROP INDEX feed_opportunities_board_id")
    op.execute("REVOKE ALL ON users, opportunities FROM feed_app, feed_listener, feed_dba")
    for table in reversed(ADOPTABLE):
        if table not in adopted:
            op.execute(f"DROP TABLE {table} CASCADE")
        for column in adopted.get(table, ()):
            op.drop_column(table, column)
    op.execute("DROP TABLE board_members, boards CASCADE")
    op.execute("DROP SCHEMA feed CASCADE")
    # The roles stay: they belong to the cluster, and login roles may have been granted them.


def _run(*names: str) -> None:
    # To the driver, without parameters: a per cent sign in a file is no placeholder; a file may hold several statements.
    connection = op.get_bind().connection.driver_connection
    if connection is None:
        raise RuntimeError("the migration has lost its connection")
    for name in names:
        connection.execute(sql(name))


def _columns() -> dict[str, set[str]]:
    inspector = sa.inspect(op.get_bind())
    return {t: {c["name"] for c in inspector.get_columns(t)} for t in ADOPTABLE if inspector.has_table(t)}
