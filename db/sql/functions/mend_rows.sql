-- A column that was dropped and added again has its default in all rows. The log still has the values. Versions are not restored:
-- they have to be greater than those that clients know (see feed.mend_columns). Rows are restored in parts, so that a writer waits
-- for one part at most. A value that was written since the column is there again stays.
CREATE FUNCTION feed.mend_rows(size integer) RETURNS SETOF text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    source record := feed.opportunity_source();
    work jsonb := (SELECT a.restoring FROM feed.adopted AS a WHERE a.role = 'opportunities' FOR UPDATE);
    columns text[] := ARRAY(SELECT c FROM jsonb_array_elements_text(work -> 'columns') AS c WHERE c NOT IN ('version_number', 'last_sync_at')
                            AND EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = source.target AND a.attname = c AND a.attnum > 0 AND NOT a.attisdropped));
    number integer := 0;
    restored integer := 0;
    last_id text;
BEGIN
    IF work IS NULL THEN
        RETURN;
    END IF;
    IF columns <> '{}' THEN
        EXECUTE format($query$
            WITH part AS MATERIALIZED (
                SELECT o.%3$I AS id, feed.short_key(to_jsonb(o.%3$I) #>> '{}') AS key FROM %1$s AS o
                WHERE $2 IS NULL OR o.%3$I > $2::%6$s ORDER BY o.%3$I LIMIT $3
            ), done AS (
                UPDATE %1$s AS o SET %2$s
                FROM part AS p
                CROSS JOIN LATERAL (SELECT i.new
                                    FROM (SELECT l.seq, feed.image_after(l.relation, l.key, l.seq, l.op, l.old, l.new, l.delta) AS new
                                          FROM feed.log AS l
                                          WHERE l.relation = 'opportunities' AND l.key = p.key AND l.seq <= $4 AND l.op IN ('insert', 'update', 'enter')) AS i
                                    WHERE i.new ?& $1 ORDER BY i.seq DESC LIMIT 1) AS l
                CROSS JOIN LATERAL jsonb_populate_record(NULL::%1$s, l.new) AS was
                WHERE o.%3$I = p.id AND (%4$s) IS DISTINCT FROM (%5$s)
                  AND (NOT 'board_id' = ANY ($1) OR EXISTS (SELECT FROM feed.boards AS b WHERE b.id = l.new ->> 'board_id'))
                RETURNING 1
            )
            SELECT (SELECT count(*) FROM part), (SELECT count(*) FROM done), (SELECT p.id::text FROM part AS p ORDER BY p.id DESC LIMIT 1)
        $query$, source.target,
            (SELECT string_agg(format('%1$I = %2$s', c.name, c.restored), ', ') FROM feed.restored_columns(source.target, columns, work ->> 'board') AS c),
            source.key_column,
            (SELECT string_agg(format('o.%I', c), ', ') FROM unnest(columns) AS c),
            (SELECT string_agg(c.restored, ', ') FROM feed.restored_columns(source.target, columns, work ->> 'board') AS c),
            (SELECT format_type(a.atttypid, a.atttypmod) FROM pg_attribute AS a WHERE a.attrelid = source.target AND a.attname = source.key_column AND NOT a.attisdropped))
        INTO number, restored, last_id USING columns, work ->> 'after', size, (work ->> 'until')::bigint;
    END IF;
    work := work || jsonb_build_object('after', last_id, 'rows', (work ->> 'rows')::integer + restored);
    UPDATE feed.adopted AS a SET restoring = CASE WHEN number = size THEN work END WHERE a.role = 'opportunities';
    IF number < size THEN
        PERFORM feed.log_reload('opportunities', 'repair');
        RETURN NEXT format('restored %s in %s rows from the log', (SELECT string_agg(c, ', ') FROM jsonb_array_elements_text(work -> 'columns') AS c), work ->> 'rows');
    END IF;
END
$$;
COMMENT ON FUNCTION feed.mend_rows(integer) IS
    'Restores the values of dropped columns from the log in the next size rows; after the last ones makes all readers load the opportunities again, and returns a line. Used by feed.mend.';
