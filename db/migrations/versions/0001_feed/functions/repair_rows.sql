-- Rows and sequence values without which a schema that was created again does not work. Everything that is still there stays.
CREATE FUNCTION feed.repair_rows() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    newest bigint := (SELECT max(l.seq) FROM feed.log AS l);
    partition bigint := (SELECT max(l.partition_number) FROM feed.log AS l);
    fix text;
BEGIN
    IF coalesce(pg_sequence_last_value('feed.log_seq'), 0) < newest THEN
        PERFORM setval('feed.log_seq', newest);
    END IF;
    IF coalesce(pg_sequence_last_value('feed.partition_number'), 0) < coalesce(partition, 1) THEN
        PERFORM setval('feed.partition_number', coalesce(partition, 1));
    END IF;
    -- The largest bigint: readers search all partitions.
    IF pg_sequence_last_value('feed.partition_xid') IS NULL THEN
        PERFORM setval('feed.partition_xid', 9223372036854775807);
    END IF;
    FOR partition IN SELECT pg_sequence_last_value('feed.partition_number') + n FROM generate_series(0, 1) AS n LOOP
        IF to_regclass(format('feed.log_%s', partition)) IS NULL THEN
            PERFORM feed.make_partition(partition);
        END IF;
    END LOOP;
    INSERT INTO feed.maintenance DEFAULT VALUES ON CONFLICT DO NOTHING;
    INSERT INTO feed.pacer DEFAULT VALUES ON CONFLICT DO NOTHING;
    INSERT INTO feed.identity (feed_id, system_identifier, timeline, reason) VALUES ('', '', '', '') ON CONFLICT DO NOTHING;
    PERFORM feed.identify();
    -- Without its row, the table would not be mended. It may be the application's, so that boardcast never drops it.
    INSERT INTO feed.adopted (role, relation, created)
    SELECT 'opportunities', t.tgrelid, false FROM pg_trigger AS t WHERE t.tgfoid = to_regproc('feed.version_opportunity')
    ON CONFLICT DO NOTHING;
    -- A function that is dropped with CASCADE takes the triggers of all tables with it.
    PERFORM feed.mend_structure();
    FOR fix IN SELECT t.fix FROM feed.attached_tables AS t WHERE t.state IN ('unknown', 'replaced') LOOP
        EXECUTE fix;
    END LOOP;
END
$$;
COMMENT ON FUNCTION feed.repair_rows() IS
    'Restores the rows, sequence values, partitions and triggers without which the feed does not work. Used by boardcast migrate if a part of the schema was missing.';
