-- An application has no boards in schema feed. Its rows are on the boards that their board column names or, if boardcast added
-- the column, on one board, main. Each board has the stages that its rows are in, and is visible to all users. Boards and stages
-- that appear later are added, but no stage for cards that have none. What people have changed in feed.boards stays: new stages come last.
CREATE FUNCTION feed.mend_boards() RETURNS SETOF text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    stages text := feed.stage_source();
    users record := feed.user_columns();
    made text[];
    grown record;
BEGIN
    IF stages IS NULL OR EXISTS (SELECT FROM feed.adopted AS a WHERE a.role = 'opportunities' AND a.created) THEN
        RETURN;
    END IF;
    EXECUTE format($query$
        WITH new AS (
            INSERT INTO feed.boards (id, name, phases)
            SELECT r.board_id, CASE r.board_id WHEN 'main' THEN 'Main' ELSE r.board_id END,
                   coalesce(jsonb_agg(jsonb_build_object('id', r.phase, 'name', r.phase) ORDER BY r.phase) FILTER (WHERE r.phase IS NOT NULL), '[]')
            FROM (%s
                  UNION
                  SELECT 'main', NULL WHERE NOT EXISTS (SELECT FROM feed.boards) AND %L) AS r
            WHERE r.board_id IS NOT NULL AND NOT EXISTS (SELECT FROM feed.boards AS b WHERE b.id = r.board_id)
            GROUP BY r.board_id
            RETURNING id
        )
        SELECT array_agg(n.id ORDER BY n.id) FROM new AS n
    $query$, stages, EXISTS (SELECT FROM feed.field_columns() AS f LEFT JOIN feed.adopted AS a ON a.role = 'opportunities'
                             WHERE f.field = 'board_id' AND (f.name IS NULL OR 'board_id' = ANY (a.added)))) INTO made;
    IF made IS NOT NULL AND users.key_column IS NOT NULL THEN
        INSERT INTO feed.board_members (board_id, user_id, role)
        SELECT b.id, u.id, 'editor' FROM unnest(made) AS b(id)
        CROSS JOIN unnest(feed.run_as_owner(users.target, format('SELECT array_agg(to_jsonb(u.%I) #>> ''{}'') FROM %s AS u', users.key_column, users.target))) AS u(id)
        WHERE u.id IS NOT NULL
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN QUERY SELECT 'created board ' || b.id FROM unnest(made) AS b(id);
    FOR grown IN
        SELECT m.board AS id, array_agg(m.stage ORDER BY m.stage) AS stages
        FROM feed.missing_stages() AS m WHERE NOT m.is_new GROUP BY m.board ORDER BY m.board
    LOOP
        UPDATE feed.boards AS b
        SET phases = b.phases || (SELECT jsonb_agg(jsonb_build_object('id', s.stage, 'name', s.stage) ORDER BY s.place)
                                  FROM unnest(grown.stages) WITH ORDINALITY AS s(stage, place))
        WHERE b.id = grown.id;
        RETURN QUERY SELECT format('added stage %s to board %s', s.stage, grown.id) FROM unnest(grown.stages) AS s(stage);
    END LOOP;
END
$$;
COMMENT ON FUNCTION feed.mend_boards() IS
    'Creates the boards that the opportunities of an application are on, with all users as editors, and adds the stages that boards lack. Used by feed.mend.';
