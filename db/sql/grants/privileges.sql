-- Privileges. feed.log is append-only: only its owner may write to it (see grants/ownership.sql), and writers reach it only
-- through feed.capture().
GRANT USAGE ON SCHEMA feed TO feed_app, feed_listener, feed_dba;
GRANT SELECT ON ALL TABLES IN SCHEMA feed TO feed_app, feed_dba;
GRANT SELECT ON feed.log, feed.identity, feed.pacer, feed.flags, feed.attached TO feed_listener;
-- Any instance may be the pacer. No role needs a privilege to write the sequence: feed.capture() reads it, and feed.suppress_notify()
-- sets it, with the privileges of their owner.
GRANT UPDATE (instance, pid, until, mode, notifications, since) ON feed.pacer TO feed_app, feed_listener;
GRANT SELECT ON SEQUENCE feed.notify_suppressed_until TO feed_app, feed_listener, feed_dba;
GRANT SELECT, INSERT, DELETE ON feed.tickets TO feed_app, feed_listener;
-- Partitions are read only through feed.log, with its privileges.
DO $$
DECLARE
    partition regclass;
BEGIN
    FOR partition IN SELECT inhrelid FROM pg_inherits WHERE inhparent = 'feed.log'::regclass LOOP
        EXECUTE format('REVOKE ALL ON %s FROM feed_app, feed_dba', partition);
    END LOOP;
END
$$;
GRANT SELECT ON SEQUENCE feed.partition_number, feed.partition_xid TO feed_app, feed_listener, feed_dba;
GRANT SELECT ON SEQUENCE feed.log_seq TO feed_app, feed_dba; -- for feed.verify_order()
REVOKE SELECT ON feed.tickets FROM feed_dba;
-- Each service maintains its own rows in these tables.
GRANT SELECT, INSERT, UPDATE, DELETE ON feed.instances TO feed_app, feed_listener;
GRANT SELECT, INSERT, DELETE ON feed.delivery_journal TO feed_app, feed_listener;
GRANT SELECT, INSERT ON feed.gap_reports TO feed_app, feed_listener;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA feed FROM PUBLIC;
GRANT EXECUTE ON FUNCTION feed.identify(), feed.changes(jsonb, jsonb), feed.row_key(jsonb, text[]),
    feed.changes_since(xid8, xid8[], xid8, xid8[]), feed.current_partition(), feed.first_partition_since(xid8),
    feed.plain_relations(), feed.relation_name(oid), feed.valid_traceparent(text), feed.compact_changes(jsonb, jsonb, integer),
    feed.complete_image(text, text, bigint), feed.image_after(text, text, bigint, text, jsonb, jsonb, integer),
    feed.image_before(text, text, bigint, text, jsonb, jsonb, integer), feed.version_number(jsonb), feed.row_json(anyelement),
    feed.converts_safely(regclass), feed.trusted_type(oid), feed.plain_text(text, oid), feed.unsafe_columns(oid, text), feed.columns_image(text[], jsonb[]),
    feed.board_index(), feed.current_columns(regclass, text[]), feed.mapped_column(regclass, jsonb), feed.field_columns(), feed.field_names(), feed.card_names(),
    feed.card_image(jsonb, jsonb), feed.card_details(text), feed.stage_kind(jsonb, text), feed.stored_image(jsonb), feed.user_columns(),
    feed.opportunities_table(), feed.users_table(), feed.single_key(regclass), feed.default_board(), feed.json_text(text, oid),
    feed.matches_any(text, oid, text), feed.opportunity_source(), feed.opportunities_on(text[]), feed.opportunities_of(text[]),
    feed.opportunities_page(text[], text, integer), feed.opportunity_image(jsonb, text, text, bigint), feed.versions_on(text) TO feed_app, feed_listener, feed_dba;
-- The details of a card are part of its board. Each service notes what it reads of the changes of stages.
GRANT SELECT ON feed.opportunity_details TO feed_listener;
GRANT INSERT (opportunity_id, board_id, closed_phase, closed_at, close_reason, next_activity, next_activity_date),
    UPDATE (opportunity_id, board_id, closed_phase, closed_at, close_reason, next_activity, next_activity_date)
    ON feed.opportunity_details TO feed_app, feed_listener;
GRANT SELECT, INSERT ON feed.stage_changes TO feed_app, feed_listener;
GRANT SELECT, UPDATE ON feed.stage_reader TO feed_app, feed_listener;
GRANT EXECUTE ON FUNCTION feed.note_closings(text[]), feed.start_stage_changes(), feed.read_stage_changes(integer, boolean),
    feed.short_text(text), feed.short_key(text) TO feed_app, feed_listener;
GRANT EXECUTE ON FUNCTION feed.maintain(), feed.seal(integer), feed.suppress_notify(integer),
    feed.report_gap(text, text, text, text, text, bigint, text, bigint, text), feed.checkpoint_seen(text, text), feed.cursor_fault(text),
    feed.parse_cursor(text), feed.row_hash(text, integer) TO feed_app, feed_listener;
GRANT EXECUTE ON FUNCTION feed.tail(interval, text, text, text, text, integer), feed.history(text, text), feed.explain(bigint),
    feed.explain_cursor(text), feed.cursor_fault(text), feed.checkpoint(text, text), feed.checkpoint_seen(text, text), feed.row_hash(text, integer),
    feed.parse_cursor(text), feed.has_seen(text, xid8), feed.display_value(jsonb), feed.trigger_arguments(bytea),
    feed.attach_command(text, text[], text, text[]), feed.all_partitions(oid), feed.created_partitions(oid),
    feed.seq_since(timestamptz), feed.log_partitions(), feed.fed_columns(regclass), feed.normalize_image(regclass, jsonb), feed.table_layout(oid), feed.redefined_columns(regclass), feed.later_triggers(), feed.verify_log(regclass, text, integer), feed.verify_order(),
    feed.verify_rows(regclass, xid8, text[], integer), feed.verify_seals(bigint, integer), feed.seal_hash(feed.seals, text),
    feed.hash_changes(bigint, xid8, bigint, xid8, bigint), feed.rollout_bucket(text), feed.realtime(text),
    feed.marked_text(jsonb), feed.short_key(text),
    feed.user_names(text[]) TO feed_app, feed_dba;
-- To invite members.
GRANT EXECUTE ON FUNCTION feed.users_with_email(text) TO feed_app;
-- Every connection checks that the database is on the revision of the code.
GRANT SELECT ON feed.alembic_version TO feed_listener;
-- The API deletes no board, and changes no ID, version, or owner of a membership.
GRANT INSERT (id, name, phases, currency, created_at, close_reasons, stale_days),
    UPDATE (name, phases, currency, archived_at, close_reasons, stale_days) ON feed.boards TO feed_app;
GRANT INSERT, UPDATE (role), DELETE ON feed.board_members TO feed_app;
GRANT SELECT ON feed.boards, feed.board_members, feed.adopted TO feed_listener;
GRANT SELECT, INSERT, UPDATE, DELETE ON feed.user_presence TO feed_app, feed_listener;
-- Lets feed.health and feed.instance_status see transactions and backends of other sessions. Only a role that may grant
-- pg_read_all_stats can do this; without it the views report what they cannot see.
DO $$
BEGIN
    GRANT pg_read_all_stats TO feed_dba;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE NOTICE 'pg_read_all_stats was not granted to feed_dba; a superuser can grant it';
END
$$;
