"""The tables of the CRM, the log, its triggers, and who may do what.

Existing tables users and opportunities are adopted: missing columns are added and recorded, and dropped again by a downgrade.
"""

import json

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from db.migrations.frozen import install

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ADOPTABLE = ("users", "opportunities")
TABLES = ("crm", "feed", "pacer", "flags", "instances", "attached", "delivery_journal", "gap_reports")
FUNCTIONS = (
    "row_key",
    "changes",
    "new_id",
    "notify",
    "missing_column",
    "exclude_columns",
    "row_image",
    "capture",
    "guard_key",
    "name_author",
    "detach",
    "check_table",
    "check_key",
    "attach",
    "version_opportunity",
    "notify_presence",
    "current_partition",
    "first_partition_since",
    "rotate_partition",
    "make_partition",
    "relation_name",
    "plain_relations",
    "changes_since",
    "identify",
    "reset_feed",
    "prune",
    "maintain",
    "display_value",
    "parse_cursor",
    "has_seen",
    "cursor_fault",
    "rollout_bucket",
    "realtime",
    "set_notify",
    "set_capture",
    "row_hash",
    "checkpoint_seen",
    "checkpoint",
    "report_gap",
    "trigger_arguments",
    "fed_columns",
    "normalize_image",
    "verify_log",
    "verify_rows",
    "repair",
    "seq_since",
    "log_partitions",
)
VIEWS = (
    "opportunity_versions",
    "editing",
    "trigger_log",
    "instance_status",
    "client_positions",
    "lag",
    "triggers",
    "indexes",
    "gaps",
    "retention",
    "health",
)
READERS = ("tail", "history", "explain", "explain_cursor")  # functions that use the views

OBJECTS = ("grants/roles", *(f"tables/{name}" for name in TABLES), *(f"functions/{name}" for name in FUNCTIONS))
VIEWS_AND_TRIGGERS = (
    *(f"views/{name}" for name in VIEWS),
    *(f"functions/{name}" for name in READERS),
    *("triggers/opportunities_version", "triggers/user_presence", "triggers/attach_crm"),
)
RIGHTS = ("grants/privileges", "grants/ownership")
INSTALLS = (*OBJECTS, *VIEWS_AND_TRIGGERS, *RIGHTS)


def upgrade() -> None:
    before = _columns()
    op.execute("CREATE SCHEMA feed")
    op.execute("COMMENT ON SCHEMA feed IS 'boardcast: the log of changes, its triggers and its readers'")
    install(__file__, *OBJECTS)
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
    install(__file__, *VIEWS_AND_TRIGGERS)
    install(__file__, *RIGHTS)


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


def _columns() -> dict[str, set[str]]:
    inspector = sa.inspect(op.get_bind())
    return {t: {c["name"] for c in inspector.get_columns(t)} for t in ADOPTABLE if inspector.has_table(t)}
