CREATE FUNCTION feed.missing_stages() RETURNS TABLE (board text, stage text, is_new boolean)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    stages text := feed.stage_source();
BEGIN
    -- Where a column is missing, or its values have yet to be restored, rows are not where they belong.
    IF stages IS NULL OR EXISTS (SELECT FROM feed.adopted AS a WHERE a.role = 'opportunities' AND a.created OR a.restoring IS NOT NULL)
       OR EXISTS (SELECT FROM feed.field_columns() AS f WHERE f.field IN ('board_id', 'phase') AND f.name IS NULL) THEN
        RETURN;
    END IF;
    RETURN QUERY EXECUTE format($query$
        SELECT r.board_id, r.phase, b.id IS NULL
        FROM (%s) AS r
        LEFT JOIN feed.boards AS b ON b.id = r.board_id
        WHERE r.board_id IS NOT NULL
          AND (b.id IS NULL OR jsonb_typeof(b.phases) = 'array' AND r.phase <> ''
                               AND NOT jsonb_path_exists(b.phases, '$[*].id ? (@ == $stage)', jsonb_build_object('stage', r.phase)))
    $query$, stages);
END
$$;
COMMENT ON FUNCTION feed.missing_stages() IS
    'Stages that rows of the application are in and their boards lack; is_new: there is no such board yet. Used by feed.mend_boards and boardcast migrate --check.';
