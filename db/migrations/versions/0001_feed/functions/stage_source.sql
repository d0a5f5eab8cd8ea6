CREATE FUNCTION feed.stage_source() RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    -- Columns that are missing will be added with these values (see feed.mend_columns).
    SELECT format('SELECT DISTINCT %s AS board_id, %s AS phase FROM %s AS o',
                  CASE WHEN b.name IS NOT NULL THEN feed.json_text(format('o.%I', b.name), (SELECT a.atttypid FROM pg_attribute AS a WHERE a.attrelid = t.target AND a.attname = b.name))
                       WHEN EXISTS (SELECT FROM feed.adopted AS a WHERE a.role = 'opportunities' AND 'board_id' = ANY (a.added)) THEN '(SELECT coalesce(feed.default_board(), ''main''))' -- once, not for each row
                       ELSE '''main''' END,
                  CASE WHEN p.name IS NOT NULL THEN feed.json_text(format('o.%I', p.name), (SELECT a.atttypid FROM pg_attribute AS a WHERE a.attrelid = t.target AND a.attname = p.name))
                       ELSE quote_literal('') END, t.target)
    FROM (SELECT feed.opportunities_table() AS target) AS t
    JOIN feed.field_columns() AS b ON b.field = 'board_id'
    JOIN feed.field_columns() AS p ON p.field = 'phase'
    JOIN feed.field_columns() AS k ON k.field = 'id' AND k.name IS NOT NULL
    WHERE t.target IS NOT NULL
$$;
COMMENT ON FUNCTION feed.stage_source() IS
    'The statement that returns the boards and the stages in which the opportunities are (board_id, phase); null if there is no table. Used by feed.mend_boards.';
