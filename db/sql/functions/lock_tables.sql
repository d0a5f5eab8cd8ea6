-- A strong lock that waits makes all later writers wait behind it, for as long as the oldest transaction takes. So an attempt
-- ends after 0.4 seconds and releases the strong locks that it has, so that writers can go on before the next. It is shorter than
-- the default of deadlock_timeout, so PostgreSQL ends no transaction of the application in its favor. Nothing that takes long may follow
-- in the same transaction.
--
-- First come locks behind which no writer waits. They wait for VACUUM, and autovacuum yields only to a lock that waits for longer
-- than deadlock_timeout.
CREATE FUNCTION feed.lock_tables(targets regclass[], mode text DEFAULT 'ACCESS EXCLUSIVE', patience interval DEFAULT '60 s') RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    give_up timestamptz := clock_timestamp() + patience;
    before text := current_setting('lock_timeout');
    attempt_ends timestamptz;
    target regclass;
BEGIN
    PERFORM set_config('lock_timeout', greatest(1, extract(epoch FROM patience) * 1000)::integer::text, true);
    FOREACH target IN ARRAY targets LOOP
        EXECUTE format('LOCK TABLE %s IN SHARE UPDATE EXCLUSIVE MODE', target);
    END LOOP;
    LOOP
        BEGIN
            attempt_ends := clock_timestamp() + interval '0.4 s';
            FOREACH target IN ARRAY targets LOOP
                PERFORM set_config('lock_timeout', greatest(1, extract(milliseconds FROM attempt_ends - clock_timestamp())::integer)::text, true);
                EXECUTE format('LOCK TABLE %s IN %s MODE', target, mode);
            END LOOP;
            PERFORM set_config('lock_timeout', before, true);
            RETURN;
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            IF clock_timestamp() > give_up THEN
                RAISE;
            END IF;
        END;
        PERFORM pg_sleep(0.2 + 0.3 * random());
    END LOOP;
EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
    RAISE EXCEPTION 'table % could not be locked for %: transactions have used it for longer', target, patience
        USING ERRCODE = 'lock_not_available',
              HINT = concat_ws(' ', 'Nothing was changed. Try again after these sessions have ended their transactions:', (
                  SELECT string_agg(DISTINCT format('pid %s (%s)', l.pid, coalesce(nullif(s.application_name, ''), s.usename, s.backend_type, 'unknown')), ', ')
                  FROM pg_locks AS l LEFT JOIN pg_stat_activity AS s USING (pid)
                  WHERE l.relation = target AND l.granted AND l.pid <> pg_backend_pid()));
END
$$;
COMMENT ON FUNCTION feed.lock_tables(regclass[], text, interval) IS
    'Locks tables in short attempts, so that no writer waits for longer than one attempt. Raises lock_not_available after the given time. Used by feed.mend and feed.attach.';
