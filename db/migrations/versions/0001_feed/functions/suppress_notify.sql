-- The only way in which a service sets feed.notify_suppressed_until. It cannot suppress NOTIFY for longer than a second, which is
-- when the log is read in any case, nor without holding the lease, nor if that is switched off.
CREATE FUNCTION feed.suppress_notify(ahead integer) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    lease feed.pacer;
BEGIN
    SELECT * INTO lease FROM feed.pacer;
    PERFORM setval('feed.notify_suppressed_until', CASE
        WHEN lease.muted THEN 9007199254740991
        WHEN ahead > 0 AND lease.pid = pg_backend_pid() THEN (date_part('epoch', clock_timestamp()) * 1000)::bigint + least(ahead, 1000)
        ELSE 0 END);
    RETURN lease.muted;
END
$$;
COMMENT ON FUNCTION feed.suppress_notify(integer) IS
    'Lets writers skip NOTIFY for some milliseconds, or ends that if 0, and returns whether NOTIFY is switched off. Called in the statement that renews the lease of the pacer, so under the lock of its row.';
