-- Privileges. feed.log is append-only: only its owner may write to it (see grants/ownership.sql), and writers reach it only
-- through feed.capture().
GRANT USAGE ON SCHEMA feed TO feed_app, feed_listener, feed_dba;
GRANT SELECT ON ALL TABLES IN SCHEMA feed TO feed_app, feed_dba;
GRANT SELECT ON feed.log, feed.identity, feed.pacer, feed.flags, feed.attached TO feed_listener;
-- Any instance may be the pacer. Writers need no privilege on the sequence, because feed.capture() reads it with the
-- privileges of its owner.
GRANT UPDATE (instance, pid, until, mode, notifications, since) ON feed.pacer TO feed_app, feed_listener;
GRANT UPDATE ON SEQUENCE feed.notify_suppressed_until TO feed_app, feed_listener;
GRANT SELECT ON SEQUENCE feed.notify_suppressed_until TO feed_app, feed_listener, feed_dba;
GRANT SELECT, INSERT, DELETE ON feed.tickets TO feed_app, feed_listener;
-- Partitions are read only through feed.log, with its privileges.
REVOKE ALL ON feed.log_1, feed.log_2, feed.log_default FROM feed_app, feed_dba;
GRANT SELECT ON SEQUENCE feed.partition_number, feed.partition_xid TO feed_app, feed_listener, feed_dba;
REVOKE SELECT ON feed.tickets FROM feed_dba;
-- Each service maintains its own rows in these tables.
GRANT SELECT, INSERT, UPDATE, DELETE ON feed.instances TO feed_app, feed_listener;
GRANT SELECT, INSERT, DELETE ON feed.delivery_journal TO feed_app, feed_listener;
GRANT SELECT, INSERT ON feed.gap_reports TO feed_app, feed_listener;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA feed FROM PUBLIC;
GRANT EXECUTE ON FUNCTION feed.identify(), feed.changes(jsonb, jsonb), feed.row_key(jsonb, text[]),
    feed.changes_since(xid8, xid8[], xid8, xid8[]), feed.current_partition(), feed.first_partition_since(xid8),
    feed.plain_relations(), feed.relation_name(oid) TO feed_app, feed_listener, feed_dba;
GRANT EXECUTE ON FUNCTION feed.maintain(),
    feed.report_gap(text, text, text, text, text, bigint, text, bigint, text), feed.checkpoint_seen(text, text), feed.cursor_fault(text),
    feed.parse_cursor(text), feed.row_hash(text, integer) TO feed_app, feed_listener;
GRANT EXECUTE ON FUNCTION feed.tail(interval, text, text, text, text, integer), feed.history(text, text), feed.explain(bigint),
    feed.explain_cursor(text), feed.cursor_fault(text), feed.checkpoint(text, text), feed.checkpoint_seen(text, text), feed.row_hash(text, integer),
    feed.parse_cursor(text), feed.has_seen(text, xid8), feed.display_value(jsonb), feed.trigger_arguments(bytea),
    feed.seq_since(timestamptz), feed.log_partitions(), feed.fed_columns(regclass), feed.normalize_image(regclass, jsonb), feed.verify_log(regclass, text, integer),
    feed.verify_rows(regclass, xid8, text[], integer), feed.rollout_bucket(text), feed.realtime(text) TO feed_app, feed_dba;
-- /readyz checks whether the database is migrated.
GRANT SELECT ON alembic_version TO feed_app, feed_dba;
GRANT SELECT ON users, boards, board_members, opportunities, opportunity_versions TO feed_app, feed_dba;
GRANT SELECT ON board_members, opportunities TO feed_listener;
GRANT INSERT, UPDATE, DELETE ON users, boards, board_members, opportunities TO feed_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON user_presence TO feed_app, feed_listener;
GRANT SELECT ON user_presence TO feed_dba;
-- Lets feed.health and feed.instance_status see transactions and backends of other sessions. Only a role that may grant
-- pg_read_all_stats can do this; without it the views report what they cannot see.
DO $$
BEGIN
    GRANT pg_read_all_stats TO feed_dba;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE NOTICE 'pg_read_all_stats was not granted to feed_dba; a superuser can grant it';
END
$$;
