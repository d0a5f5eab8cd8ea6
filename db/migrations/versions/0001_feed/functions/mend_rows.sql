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
    keys text[] := '{}';
    -- Those of them that have an image, and their images.
    found_keys text[];
    found_images jsonb[];
    key_type oid := (SELECT a.atttypid FROM pg_attribute AS a WHERE a.attrelid = source.target AND a.attname = source.key_column);
    restored integer := 0;
BEGIN
    IF work IS NULL THEN
        RETURN;
    END IF;
    IF columns <> '{}' THEN
        keys := ARRAY(SELECT DISTINCT l.key FROM feed.log AS l
                      WHERE l.relation = 'opportunities' AND l.key > coalesce(work ->> 'after', '') ORDER BY l.key LIMIT size);
        SELECT array_agg(k.key), array_agg(l.new) INTO found_keys, found_images
        FROM unnest(keys) AS k(key)
        CROSS JOIN LATERAL (SELECT i.new
                            FROM (SELECT l.seq, feed.image_after(l.relation, l.key, l.seq, l.op, l.old, l.new, l.delta) AS new
                                  FROM feed.log AS l
                                  WHERE l.relation = 'opportunities' AND l.key = k.key AND l.seq <= (work ->> 'until')::bigint
                                    AND l.op IN ('insert', 'update', 'enter')) AS i
                            WHERE i.new ?& columns ORDER BY i.seq DESC LIMIT 1) AS l
        WHERE NOT 'board_id' = ANY (columns) OR EXISTS (SELECT FROM feed.boards AS b WHERE b.id = l.new ->> 'board_id');
        restored := (feed.run_as_owner(source.target, format($query$
            WITH restored AS (
                UPDATE %1$s AS o SET %2$s
                FROM (SELECT u.key, u.new FROM unnest($1, $2) AS u(key, new) OFFSET 0) AS k CROSS JOIN LATERAL jsonb_populate_record(NULL::%1$s, k.new) AS was
                WHERE %5$s AND %6$s = k.key AND (%3$s) IS DISTINCT FROM (%4$s)
                RETURNING 1
            )
            SELECT ARRAY[count(*)::text] FROM restored
        $query$, source.target,
            (SELECT string_agg(format('%1$I = %2$s', c.name, c.restored), ', ') FROM feed.restored_columns(source.target, columns, work ->> 'board') AS c),
            (SELECT string_agg(format('o.%I', c), ', ') FROM unnest(columns) AS c),
            (SELECT string_agg(c.restored, ', ') FROM feed.restored_columns(source.target, columns, work ->> 'board') AS c),
            CASE WHEN feed.trusted_type(key_type) THEN source.by_key ELSE 'true' END,
            CASE WHEN feed.trusted_type(key_type) THEN source.id_text ELSE format('(to_jsonb(o.%I) #>> ''{}'')', source.key_column) END), found_keys, found_images))[1];
    END IF;
    work := work || jsonb_build_object('after', keys[cardinality(keys)], 'rows', (work ->> 'rows')::integer + restored);
    UPDATE feed.adopted AS a SET restoring = CASE WHEN cardinality(keys) = size THEN work END WHERE a.role = 'opportunities';
    IF cardinality(keys) < size THEN
        PERFORM feed.log_reload('opportunities', 'repair');
        RETURN NEXT format('restored %s in %s rows from the log', (SELECT string_agg(c, ', ') FROM jsonb_array_elements_text(work -> 'columns') AS c), work ->> 'rows');
    END IF;
END
$$;
COMMENT ON FUNCTION feed.mend_rows(integer) IS
    'Restores the values of dropped columns in the next rows, at most size, that the log has; after the last ones makes all readers load the opportunities again, and returns a line. Used by feed.mend.';
