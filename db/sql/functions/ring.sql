-- The doorbell. One per transaction is enough, since readers only take it as a wake-up: the setting feed.rung remembers,
-- and is rolled back together with the notification when a savepoint is.
CREATE FUNCTION feed.ring(seq bigint, relation text, op text) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    this_transaction text := pg_catalog.pg_current_xact_id()::text;
BEGIN
    IF pg_catalog.current_setting('feed.rung', true) IS DISTINCT FROM this_transaction THEN
        PERFORM pg_catalog.set_config('feed.rung', this_transaction, true);
        PERFORM pg_catalog.pg_notify('boardcast',
            pg_catalog.json_build_object('seq', seq, 'table', relation, 'op', op)::text);
    END IF;
END
$$;
COMMENT ON FUNCTION feed.ring(bigint, text, text) IS
    'Wakes the readers: NOTIFY boardcast, once per transaction. The payload is for people; no reader trusts it.';
