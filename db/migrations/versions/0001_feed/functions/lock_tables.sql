-- A strong lock that waits makes all later writers wait behind it, for as long as the oldest transaction takes. So an attempt
-- waits for less than half a second and gives up what it got. Writers go on before the next. An attempt is shorter than
-- deadlock_timeout, so that it never ends a transaction of the application. After the first lock was taken, nothing long may follow
-- in the transaction.
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
                RAISE EXCEPTION 'table % could not be locked for %: transactions have used it for longer', target, patience
                    USING ERRCODE = 'lock_not_available',
                          HINT = concat_ws(' ', 'Nothing was changed. Try again after these sessions have ended their transactions:', (
                              SELECT string_agg(DISTINCT format('pid %s (%s)', l.pid, coalesce(nullif(s.application_name, ''), s.usename, 'unknown')), ', ')
                              FROM pg_locks AS l LEFT JOIN pg_stat_activity AS s USING (pid)
                              WHERE l.relation = target AND l.granted AND l.pid <> pg_backend_pid()));
            END IF;
        END;
        PERFORM pg_sleep(0.2 + 0.3 * random());
    END LOOP;
END
$$;
COMMENT ON FUNCTION feed.lock_tables(regclass[], text, interval) IS
    'Locks tables in short attempts, so that no writer waits for longer than one attempt. Raises lock_not_available after the patience. Used by feed.mend and feed.attach.';
