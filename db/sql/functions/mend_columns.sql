CREATE FUNCTION feed.mend_columns() RETURNS SETOF text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    target regclass := feed.opportunities_table();
    was_created boolean := (SELECT a.created FROM feed.adopted AS a WHERE a.role = 'opportunities');
    default_board text := coalesce(feed.default_board(), 'main');
    wanted record;
    lost text[];
    read_until bigint := 0;
    newest bigint := 0;
BEGIN
    SELECT array_agg(m.name ORDER BY m.place) FILTER (WHERE m.was_there) INTO lost FROM feed.missing_columns() AS m;
    IF 'version_number' = ANY (lost) THEN
        -- The whole log is read before the table is locked, and what has come since then afterward.
        SELECT coalesce(max(l.seq), 0), coalesce(max(coalesce(l.version, l.seq % 2147483647)), 0) INTO read_until, newest
        FROM feed.log AS l WHERE l.relation = 'opportunities';
    END IF;
    FOR wanted IN SELECT m.* FROM feed.missing_columns() AS m ORDER BY m.place LOOP
        PERFORM feed.lock_tables(feed.application_tables());
        IF wanted.was_there AND wanted.name = 'version_number' THEN
            -- Greater than all versions that clients may have seen.
            SELECT greatest(newest, max(coalesce(l.version, l.seq % 2147483647))) INTO newest
            FROM feed.log AS l WHERE l.relation = 'opportunities' AND l.seq > read_until;
        END IF;
        EXECUTE format('ALTER TABLE %s ADD COLUMN %I %s', target, wanted.name,
            CASE WHEN wanted.was_there AND wanted.name = 'board_id' THEN format('text NOT NULL DEFAULT %L', default_board)
                 WHEN wanted.was_there AND wanted.name = 'version_number' THEN format('integer NOT NULL DEFAULT %s', newest + 1)
                 WHEN was_created AND wanted.name = 'board_id'
                 THEN wanted.definition || ' CONSTRAINT opportunities_board_id_fkey REFERENCES feed.boards (id) ON DELETE CASCADE'
                 ELSE wanted.definition END);
        IF wanted.was_there AND wanted.name IN ('board_id', 'version_number') THEN
            EXECUTE format('ALTER TABLE %s ALTER COLUMN %I SET DEFAULT %s', target, wanted.name, substring(wanted.definition FROM 'DEFAULT (.*)'));
        END IF;
        IF NOT wanted.was_there THEN
            UPDATE feed.adopted AS a SET added = a.added || wanted.name WHERE a.role = 'opportunities';
        END IF;
        RETURN NEXT 'added column ' || wanted.name;
    END LOOP;
    IF lost IS NOT NULL THEN
        UPDATE feed.adopted AS a
        SET restoring = jsonb_build_object(
            'columns', (SELECT jsonb_agg(DISTINCT c) FROM (SELECT unnest(lost) UNION ALL SELECT jsonb_array_elements_text(a.restoring -> 'columns')) AS n(c)),
            'board', default_board, 'rows', 0, 'until', coalesce(a.restoring -> 'until', to_jsonb(pg_sequence_last_value('feed.log_seq'))))
        WHERE a.role = 'opportunities';
    END IF;
    IF was_created AND target IS NOT NULL AND NOT EXISTS (
        SELECT FROM pg_constraint AS k WHERE k.conrelid = target AND k.contype = 'f' AND k.confrelid = to_regclass('feed.boards')) THEN
        PERFORM feed.lock_tables(feed.application_tables());
        EXECUTE format('ALTER TABLE %s ADD CONSTRAINT opportunities_board_id_fkey FOREIGN KEY (board_id) REFERENCES feed.boards (id) ON DELETE CASCADE NOT VALID', target);
    END IF;
END
$$;
COMMENT ON FUNCTION feed.mend_columns() IS
    'Adds missing columns to the table of the opportunities, under a lock that is held for a moment. Used by feed.mend.';
