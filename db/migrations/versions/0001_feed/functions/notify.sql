-- Sends one NOTIFY per transaction, which is enough because readers use it only as a wake-up. The setting feed.notified_in
-- remembers that it was sent, and is rolled back together with the notification if a savepoint is.
CREATE FUNCTION feed.notify(seq bigint, relation text, op text) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    this_transaction text := pg_catalog.pg_current_xact_id()::text;
BEGIN
    IF pg_catalog.current_setting('feed.notified_in', true) IS DISTINCT FROM this_transaction THEN
        PERFORM pg_catalog.set_config('feed.notified_in', this_transaction, true);
        PERFORM pg_catalog.pg_notify('boardcast',
            pg_catalog.json_build_object('seq', seq, 'table', relation, 'op', op)::text);
    END IF;
END
$$;
COMMENT ON FUNCTION feed.notify(bigint, text, text) IS
    'Wakes up the readers: NOTIFY boardcast, once per transaction. The payload is informational only; readers do not use it.';
