-- Who may do what. feed.log is append-only: nobody but its owner may write to it (see grants/ownership.sql), and writers reach it through feed.capture() alone.
GRANT USAGE ON SCHEMA feed TO feed_app, feed_listener, feed_dba;
GRANT SELECT ON ALL TABLES IN SCHEMA feed TO feed_app, feed_dba;
GRANT SELECT ON feed.log, feed.identity, feed.pacer, feed.flags, feed.attached TO feed_listener;
-- Any instance may be the pacer; capture reads the pulse with its owner's right, so that writers need none.
GRANT UPDATE (instance, pid, until, mode, rung, since) ON feed.pacer TO feed_app, feed_listener;
GRANT UPDATE ON SEQUENCE feed.pulse TO feed_app, feed_listener;
GRANT SELECT ON SEQUENCE feed.pulse TO feed_app, feed_listener, feed_dba;
GRANT SELECT, INSERT, DELETE ON feed.tickets TO feed_app, feed_listener;
-- Through the log alone, and as it says.
REVOKE ALL ON feed.log_1, feed.log_2, feed.log_default FROM feed_app, feed_dba;
GRANT SELECT ON SEQUENCE feed.era, feed.era_xid TO feed_app, feed_listener, feed_dba;
REVOKE SELECT ON feed.tickets FROM feed_dba;
-- Each service keeps its own rows there.
GRANT SELECT, INSERT, UPDATE, DELETE ON feed.instances TO feed_app, feed_listener;
GRANT SELECT, INSERT, DELETE ON feed.sweeps TO feed_app, feed_listener;
GRANT SELECT, INSERT ON feed.gap_reports TO feed_app, feed_listener;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA feed FROM PUBLIC;
GRANT EXECUTE ON FUNCTION feed.identify(), feed.changes(jsonb, jsonb), feed.row_key(jsonb, text[]),
    feed.unseen(xid8, xid8[], xid8, xid8[]), feed.era_now(), feed.era_since(xid8),
    feed.plain_relations(), feed.relation_name(oid) TO feed_app, feed_listener, feed_dba;
GRANT EXECUTE ON FUNCTION feed.keep(),
    feed.report_gap(text, text, text, text, text, bigint, text, bigint, text), feed.checkpoint_seen(text, text), feed.cursor_fault(text),
    feed.parse_cursor(text), feed.row_hash(text, integer) TO feed_app, feed_listener;
GRANT EXECUTE ON FUNCTION feed.tail(interval, text, text, text, text, integer), feed.history(text, text), feed.explain(bigint),
    feed.explain_cursor(text), feed.cursor_fault(text), feed.checkpoint(text, text), feed.checkpoint_seen(text, text), feed.row_hash(text, integer),
    feed.parse_cursor(text), feed.has_seen(text, xid8), feed.shown(jsonb), feed.trigger_arguments(bytea),
    feed.seq_since(timestamptz), feed.log_pieces(), feed.fed_columns(regclass), feed.reread(regclass, jsonb), feed.verify_log(regclass, text, integer),
    feed.verify_rows(regclass, xid8, text[], integer), feed.user_place(text), feed.realtime(text) TO feed_app, feed_dba;
-- Whether it is migrated: /readyz asks.
GRANT SELECT ON alembic_version TO feed_app, feed_dba;
GRANT SELECT ON users, boards, board_members, opportunities, opportunity_versions TO feed_app, feed_dba;
GRANT SELECT ON board_members, opportunities TO feed_listener;
GRANT INSERT, UPDATE, DELETE ON users, boards, board_members, opportunities TO feed_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON user_presence TO feed_app, feed_listener;
GRANT SELECT ON user_presence TO feed_dba;
-- Other sessions' transactions and backends, for feed.health and feed.listeners. Only who has the role himself can give it; without it they
-- say what they cannot see.
DO $$
BEGIN
    GRANT pg_read_all_stats TO feed_dba;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE NOTICE 'feed_dba was not granted pg_read_all_stats: a superuser can';
END
$$;
