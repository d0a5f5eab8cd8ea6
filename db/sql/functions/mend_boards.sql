-- An application has no boards in schema feed. Its rows are on the boards that their board column names or, if boardcast added
-- the column, on one board, main. Each board has the stages that its rows are in, and is visible to all users.
CREATE FUNCTION feed.mend_boards() RETURNS SETOF text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    source record := feed.opportunity_source();
    users record := feed.user_columns();
    was_added boolean := (SELECT 'board_id' = ANY (a.added) FROM feed.adopted AS a WHERE a.role = 'opportunities');
    has_phase boolean := EXISTS (SELECT FROM feed.field_columns() AS f WHERE f.field = 'phase' AND f.name IS NOT NULL);
    made text[];
BEGIN
    IF source.target IS NULL OR EXISTS (SELECT FROM feed.adopted AS a WHERE a.role = 'opportunities' AND a.created) THEN
        RETURN;
    END IF;
    EXECUTE format($query$
        WITH new AS (
            INSERT INTO feed.boards (id, name, phases)
            SELECT r.board_id, CASE r.board_id WHEN 'main' THEN 'Main' ELSE r.board_id END,
                   coalesce(jsonb_agg(jsonb_build_object('id', r.phase, 'name', r.phase) ORDER BY r.phase) FILTER (WHERE r.phase IS NOT NULL), '[]')
            FROM (SELECT DISTINCT %s AS board_id, %s AS phase FROM (%s) AS s
                  UNION
                  SELECT 'main', NULL WHERE NOT EXISTS (SELECT FROM feed.boards) AND %L) AS r
            WHERE r.board_id IS NOT NULL AND NOT EXISTS (SELECT FROM feed.boards AS b WHERE b.id = r.board_id)
            GROUP BY r.board_id
            RETURNING id
        )
        SELECT array_agg(n.id ORDER BY n.id) FROM new AS n
    $query$,
        -- Columns that are missing are added after this, with these values (see feed.mend_columns).
        CASE WHEN source.board_column IS NOT NULL THEN 's.board_id' WHEN was_added THEN 'coalesce(s.board_id, ''main'')' ELSE quote_literal('main') END,
        CASE WHEN has_phase THEN 's.body ->> ''phase''' ELSE quote_literal('') END, source.row_source,
        source.board_column IS NULL OR was_added) INTO made;
    IF made IS NOT NULL AND users.key_column IS NOT NULL THEN
        EXECUTE format('INSERT INTO feed.board_members (board_id, user_id, role) SELECT b.id, u.id, ''editor'' '
                       'FROM unnest($1) AS b(id) CROSS JOIN (SELECT to_jsonb(u.%I) #>> ''{}'' AS id FROM %s AS u) AS u WHERE u.id IS NOT NULL ON CONFLICT DO NOTHING',
                       users.key_column, users.target) USING made;
    END IF;
    RETURN QUERY SELECT 'created board ' || b.id FROM unnest(made) AS b(id);
END
$$;
COMMENT ON FUNCTION feed.mend_boards() IS
    'Creates the boards that the opportunities of an application are on, with all users as editors. Used by feed.mend.';
