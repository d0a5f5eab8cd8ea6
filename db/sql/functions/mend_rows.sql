-- A column that was dropped and added again has its default in all rows. The log still has the values. Versions are not restored:
-- they have to be greater than those that clients know (see feed.mend_columns). Then all readers load the table again.
CREATE FUNCTION feed.mend_rows(lost text[]) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    source record := feed.opportunity_source();
    columns text[] := ARRAY(SELECT c FROM unnest(lost) AS c WHERE c NOT IN ('version_number', 'last_sync_at'));
    restored bigint := 0;
BEGIN
    IF columns <> '{}' THEN
        EXECUTE format($query$
            UPDATE %1$s AS o SET %2$s
            FROM (SELECT DISTINCT ON (i.key) i.key, i.new
                  FROM (SELECT l.key, l.seq, feed.image_after(l.relation, l.key, l.seq, l.op, l.old, l.new, l.delta) AS new
                        FROM feed.log AS l
                        WHERE l.relation = 'opportunities' AND l.op IN ('insert', 'update', 'enter')) AS i
                  WHERE i.new ?& $1
                  ORDER BY i.key, i.seq DESC) AS l
            CROSS JOIN LATERAL jsonb_populate_record(NULL::%1$s, l.new) AS was
            WHERE l.key = to_jsonb(o.%3$I) #>> '{}' AND (%4$s) IS DISTINCT FROM (%5$s)
              AND (NOT 'board_id' = ANY ($1) OR EXISTS (SELECT FROM feed.boards AS b WHERE b.id = l.new ->> 'board_id'))
        $query$, source.target,
            (SELECT string_agg(format('%1$I = was.%1$I', c), ', ') FROM unnest(columns) AS c), source.key_column,
            (SELECT string_agg(format('o.%I', c), ', ') FROM unnest(columns) AS c),
            (SELECT string_agg(format('was.%I', c), ', ') FROM unnest(columns) AS c)) USING columns;
        GET DIAGNOSTICS restored = ROW_COUNT;
    END IF;
    PERFORM feed.log_reload('opportunities', 'repair');
    RETURN format('restored %s in %s rows from the log', array_to_string(lost, ', '), restored);
END
$$;
COMMENT ON FUNCTION feed.mend_rows(text[]) IS
    'Restores the values of dropped columns from the log, and makes all readers load the opportunities again. Used by feed.mend.';
