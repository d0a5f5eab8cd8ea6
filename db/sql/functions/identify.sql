-- The feed's id, renewed when this is not the cluster, or not the timeline, that it was made on: then transaction ids and
-- sequence values may have been given out twice, and no cursor from before can be trusted.
-- The timeline is read from the name of the WAL file; pg_control_checkpoint() lags behind a promotion.
CREATE FUNCTION feed.identify() RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, feed, pg_temp
AS $$
DECLARE
    here_system text := (SELECT system_identifier::text FROM pg_control_system());
    here_timeline text := left(pg_walfile_name(pg_current_wal_lsn()), 8);
    known feed.identity;
BEGIN
    SELECT * INTO known FROM feed.identity;
    IF (known.system_identifier, known.timeline) IS DISTINCT FROM (here_system, here_timeline) THEN
        -- Two instances may come here together: the second waits for the row and then finds nothing to renew.
        UPDATE feed.identity
        SET feed_id = feed.new_id(), system_identifier = here_system, timeline = here_timeline,
            renewed_at = clock_timestamp(),
            reason = CASE WHEN system_identifier = '' THEN 'install'
                          WHEN system_identifier IS DISTINCT FROM here_system THEN 'another cluster'
                          ELSE 'promotion' END
        WHERE (system_identifier, timeline) IS DISTINCT FROM (here_system, here_timeline);
        IF FOUND AND known.system_identifier NOT IN ('', here_system) THEN
            -- The ids of transactions begin anew, and may be lower than those of the log: what it holds is history from here on.
            PERFORM feed.turn();
            UPDATE feed.identity
            SET first_era = feed.era_now(), first_xid = pg_sequence_last_value('feed.era_xid')::text::xid8, floor_xid = '0';
        END IF;
        SELECT * INTO known FROM feed.identity;
    END IF;
    -- The pulse is unlogged, and begins anew after a crash; that the bell is switched off does not.
    IF pg_sequence_last_value('feed.pulse') IS DISTINCT FROM 9007199254740991 AND (SELECT p.silent FROM feed.pacer AS p) THEN
        PERFORM setval('feed.pulse', 9007199254740991) FROM (SELECT FROM feed.pacer AS p WHERE p.silent FOR SHARE) AS still;
    END IF;
    RETURN known.feed_id;
END
$$;
COMMENT ON FUNCTION feed.identify() IS
    'The id that every cursor carries; renewed by itself after a restore or a failover. Readers call it on every (re)connect.';
