"""The tables of the CRM, the log, its triggers, and who may do what.

Existing tables users and opportunities are adopted: missing columns are added and recorded, and dropped again by a downgrade.
"""

import sqlalchemy as sa
from alembic import context, op

from db.migrations.frozen import install

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    *("adopted", "boards", "user_presence", "feed", "pacer", "flags"),
    *("instances", "attached", "delivery_journal", "gap_reports", "seals", "opportunity_details", "stage_changes"),
)
FUNCTIONS = (
    "row_key",
    "current_columns",
    "table_layout",
    "opportunities_table",
    "users_table",
    "single_key",
    "mapped_column",
    "field_columns",
    "field_names",
    "card_names",
    "card_image",
    "stored_image",
    "user_columns",
    "default_board",
    "trusted_type",
    "plain_text",
    "json_text",
    "matches_any",
    "later_triggers",
    "card_details",
    "stage_kind",
    "short_text",
    "opportunity_source",
    "opportunities_on",
    "opportunities_of",
    "opportunities_page",
    "opportunity_image",
    "versions_on",
    "user_names",
    "users_with_email",
    "changes",
    "new_id",
    "missing_column",
    "row_image",
    "value_image",
    "typed_image",
    "columns_image",
    "unsafe_columns",
    "unsafe_rows",
    "row_json",
    "converts_safely",
    "marked_text",
    "inexact_columns",
    "changed_columns",
    "short_key",
    "version_number",
    "valid_traceparent",
    "compact_change",
    "compact_changes",
    "complete_image",
    "image_after",
    "image_before",
    "log_change",
    "capture",
    "begin_statement",
    "sort_nested",
    "names_author",
    "log_reload",
    "all_partitions",
    "created_partitions",
    "attach_command",
    "board_index",
    "detach",
    "application_table",
    "application_tables",
    "lock_tables",
    "refuse",
    "table_obstacles",
    "key_obstacles",
    "field_obstacles",
    "card_obstacles",
    "user_obstacles",
    "adoption_obstacles",
    "require_adoptable",
    "attach",
    "note_layouts",
    "version_opportunity",
    "version_board",
    "notify_presence",
    "forget_users",
    "current_partition",
    "first_partition_since",
    "rotate_partition",
    "make_partition",
    "relation_name",
    "plain_relations",
    "changes_since",
    "note_closings",
    "start_stage_changes",
    "read_stage_changes",
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
    "suppress_notify",
    "mute_notify",
    "set_notify",
    "set_capture",
    "row_hash",
    "checkpoint_seen",
    "checkpoint",
    "report_gap",
    "trigger_arguments",
    "fed_columns",
    "normalize_image",
    "redefined_columns",
    "verify_log",
    "verify_rows",
    "repair",
    "seq_since",
    "log_partitions",
    "verify_order",
    "set_seal",
    "seal_hash",
    "hash_changes",
    "seal",
    "verify_seals",
    "repair_rows",
)
VIEWS = (
    "opportunity_versions",
    "editing",
    "trigger_log",
    "instance_status",
    "client_positions",
    "lag",
    "triggers",
    "attached_tables",
    "indexes",
    "gaps",
    "retention",
    "health",
)
READERS = ("tail", "history", "explain", "explain_cursor")  # functions that use the views
MENDS = (
    *(
        "note_columns",
        "stage_source",
        "run_as_owner",
        "missing_stages",
        "mend_boards",
        "missing_columns",
        "mend_columns",
        "needed_grants",
        "mend_privileges",
    ),
    *("mend_triggers", "mend_versions", "mend_former_users", "mend_structure", "restored_columns", "mend_rows", "mend"),
)
ADOPTION = ("adopt_again", "note_adoption", "adopt_table", "adopt")

OBJECTS = ("grants/roles", *(f"tables/{name}" for name in TABLES), *(f"functions/{name}" for name in FUNCTIONS))
VIEWS_AND_TRIGGERS = (
    *(f"views/{name}" for name in VIEWS),
    *(f"functions/{name}" for name in READERS),
    *(f"functions/{name}" for name in MENDS),
    *(f"functions/{name}" for name in ADOPTION),
    "triggers/user_presence",
    "triggers/boards",
    "triggers/opportunity_details",
    "triggers/pacer",
)
RIGHTS = ("grants/privileges", "grants/ownership")
CRM = "tables/crm"
PUBLIC_VIEW = "views/public_opportunity_versions"
INSTALLS = (*OBJECTS, *VIEWS_AND_TRIGGERS, *RIGHTS, CRM, PUBLIC_VIEW)


def upgrade() -> None:
    op.execute("COMMENT ON TABLE feed.alembic_version IS 'The newest migration that was run.'")
    op.execute("COMMENT ON COLUMN feed.alembic_version.version_num IS 'Its number'")
    install(__file__, *OBJECTS)
    op.execute("SELECT feed.make_partition(1), feed.make_partition(2)")
    op.execute("INSERT INTO feed.identity (feed_id, system_identifier, timeline, reason) SELECT '', '', '', ''")
    op.execute("SELECT feed.identify()")
    install(__file__, *VIEWS_AND_TRIGGERS)
    install(__file__, *RIGHTS)  # before anything converts values of the application
    if not context.config.attributes.get("feed_only"):
        _adopt()
    if not _exists("public.opportunity_versions"):
        install(__file__, PUBLIC_VIEW)
    op.execute("SELECT feed.mend_structure()")  # last, because it locks tables of the application


def downgrade() -> None:
    op.execute(
        "SELECT feed.lock_tables(feed.application_tables() || ARRAY(SELECT c.oid::regclass FROM pg_class AS c"
        " WHERE c.relnamespace = 'feed'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition))"
    )
    op.execute(
        "SELECT feed.detach(f.relation) FROM (SELECT relation FROM feed.triggers WHERE state <> 'missing'"
        " AND function IN ('capture', 'begin_statement') UNION SELECT relation FROM feed.attached) AS f"
    )
    tables = op.get_bind().execute(
        sa.text(
            "SELECT a.role, a.relation::text, a.created, a.added, quote_ident(n.nspname),"
            " ARRAY(SELECT format('%I FROM %I', n.nspname, g.entry ->> 'role') FROM jsonb_array_elements(a.granted) AS g(entry)"
            " JOIN pg_namespace AS n ON n.nspname = g.entry ->> 'schema')"
            " FROM feed.adopted AS a JOIN pg_class AS c ON c.oid = a.relation JOIN pg_namespace AS n ON n.oid = c.relnamespace"
        )
    )
    for role, relation, created, added, schema, granted in sorted(tables):  # opportunities before users
        if created:
            op.execute(f"DROP TABLE {relation} CASCADE")
            continue
        op.execute(f"REVOKE ALL ON {relation} FROM feed_app, feed_listener, feed_dba")
        for name in granted:
            op.execute(f"REVOKE USAGE ON SCHEMA {name}")
        for trigger in ("feed_forget_users", "feed_forget_all_users") if role == "users" else ("zz_feed_version",):
            op.execute(f"DROP TRIGGER IF EXISTS {trigger} ON {relation}")
        if role == "opportunities":
            op.execute(f"DROP INDEX IF EXISTS {schema}.feed_opportunities_board_id")
            _drop_partition_indexes(relation)
            for column in added:
                op.execute(sa.text(f'ALTER TABLE {relation} DROP COLUMN IF EXISTS "{column}"'))
    # db.migrate drops schema feed, because Alembic still needs the table of its version.
    # The roles stay: they belong to the cluster, and login roles may have been granted them.


def _adopt() -> None:
    """Take over the tables of the application, or create them in a database without one."""
    created = not _exists("public.opportunities")
    users = _exists("public.users")
    if created:
        install(__file__, CRM)
    else:
        op.execute("SELECT feed.require_adoptable('public.opportunities', '{}', NULL, '{}')")
    op.execute(
        sa.text("INSERT INTO feed.adopted VALUES ('opportunities', 'public.opportunities', :created)").bindparams(
            created=created
        )
    )
    if created and not users:
        op.execute("INSERT INTO feed.adopted VALUES ('users', 'public.users', true)")


def _drop_partition_indexes(relation: str) -> None:
    """Drop what an interrupted creation of the index on a partitioned table has left; see db/sql/functions/board_index.sql."""
    left = sa.text(
        "SELECT i.indexrelid::regclass::text FROM pg_partition_tree(:relation) AS p JOIN pg_index AS i ON i.indrelid = p.relid"
        " JOIN pg_class AS c ON c.oid = i.indexrelid WHERE c.relname = 'feed_board_id_' || p.relid::oid"
    )
    for index in op.get_bind().scalars(left.bindparams(relation=relation)).all():
        op.execute(f"DROP INDEX {index}")


def _exists(name: str) -> bool:
    return op.get_bind().scalar(sa.text("SELECT to_regclass(:name)").bindparams(name=name)) is not None
