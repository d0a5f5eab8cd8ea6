-- Clients hold cards that were read with the earlier columns, so they load their boards again.
CREATE FUNCTION feed.adopt_again(target regclass, before jsonb, board_column text) RETURNS SETOF text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    source record;
    index_schema text := (SELECT n.nspname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = target);
    key_column text := before ->> 'id';
BEGIN
    IF board_column IS DISTINCT FROM before ->> 'board_id' AND board_column IS NOT NULL THEN
        PERFORM feed.lock_tables(feed.application_tables());
        EXECUTE format('DROP INDEX IF EXISTS %I.feed_opportunities_board_id', index_schema);
        PERFORM feed.attach(target, ARRAY[key_column]::text, board_column);
    ELSE
        PERFORM feed.log_reload('opportunities', 'attach');
    END IF;
    RETURN NEXT format('changed the columns of %s; clients load their boards again', target);
    -- The boards keep their stages, and get those that they lack.
    source := feed.opportunity_source();
    EXECUTE format($query$
        UPDATE feed.boards AS b SET phases = b.phases || n.phases
        FROM (SELECT r.board_id, jsonb_agg(jsonb_build_object('id', r.phase, 'name', r.phase) ORDER BY r.phase) AS phases
              FROM (SELECT DISTINCT s.board_id, s.body ->> 'phase' AS phase FROM (%s) AS s) AS r
              JOIN feed.boards AS k ON k.id = r.board_id
              WHERE r.phase IS NOT NULL AND NOT EXISTS (SELECT FROM jsonb_array_elements(k.phases) AS p WHERE p ->> 'id' = r.phase)
              GROUP BY r.board_id) AS n
        WHERE b.id = n.board_id AND %L
    $query$, source.row_source, before ->> 'phase' IS DISTINCT FROM (SELECT f.name FROM feed.field_columns() AS f WHERE f.field = 'phase'));
END
$$;
COMMENT ON FUNCTION feed.adopt_again(regclass, jsonb, text) IS
    'Applies other columns to a table that is the board already; before: those until now, by field. Used by feed.adopt.';
