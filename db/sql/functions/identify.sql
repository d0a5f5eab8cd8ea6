-- The feed ID. It is renewed if this is not the cluster or not the timeline on which it was made, because transaction IDs
-- and sequence numbers may then have been assigned twice, and no earlier cursor can be trusted. The timeline is taken from
-- the name of the current WAL file, because pg_control_checkpoint() lags behind after a promotion.
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
        -- If two instances get here at once, the second waits for the row lock and then finds nothing to renew.
        UPDATE feed.identity
        SET feed_id = feed.new_id(), system_identifier = here_system, timeline = here_timeline,
            renewed_at = clock_timestamp(),
            reason = CASE WHEN system_identifier = '' THEN 'install'
                          WHEN system_identifier IS DISTINCT FROM here_system THEN 'another cluster'
                          ELSE 'promotion' END
        WHERE (system_identifier, timeline) IS DISTINCT FROM (here_system, here_timeline);
        IF FOUND AND known.system_identifier NOT IN ('', here_system) THEN
            -- Transaction IDs start again and may be lower than those in the log, so everything written before is history
            -- from now on.
            PERFORM feed.rotate_partition();
            UPDATE feed.identity
            SET first_partition = feed.current_partition(), first_xid = pg_sequence_last_value('feed.partition_xid')::text::xid8, floor_xid = '0';
        END IF;
        SELECT * INTO known FROM feed.identity;
    END IF;
    -- The sequence is unlogged and is reset by a crash, but the setting that NOTIFY is switched off survives it.
    IF (pg_sequence_last_value('feed.notify_suppressed_until') IS NOT DISTINCT FROM 9007199254740991) <> (SELECT p.muted FROM feed.pacer AS p) THEN
        PERFORM setval('feed.notify_suppressed_until', CASE WHEN locked.muted THEN 9007199254740991 ELSE 0 END) FROM (SELECT p.muted FROM feed.pacer AS p FOR SHARE) AS locked;
    END IF;
    RETURN known.feed_id;
END
$$;
COMMENT ON FUNCTION feed.identify() IS
    'The feed ID, which is part of every cursor. Renews it after a restore or a failover. Readers call it whenever they connect.';
