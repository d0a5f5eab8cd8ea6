CREATE FUNCTION feed.restored_columns(target regclass, columns text[], board text) RETURNS TABLE (name text, restored text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT c.name, format('CASE WHEN o.%1$I IS NOT DISTINCT FROM %2$s THEN was.%1$I ELSE o.%1$I END', c.name,
                          CASE c.name WHEN 'board_id' THEN quote_literal(board) ELSE coalesce(pg_get_expr(d.adbin, d.adrelid), 'NULL') END)
    FROM unnest(columns) WITH ORDINALITY AS c(name, place)
    JOIN pg_attribute AS a ON a.attrelid = target AND a.attname = c.name
    LEFT JOIN pg_attrdef AS d ON d.adrelid = target AND d.adnum = a.attnum
    ORDER BY c.place
$$;
COMMENT ON FUNCTION feed.restored_columns(regclass, text[], text) IS
    'For each column that was added again, the expression of its restored value (o: the row; was: the row in the log): a value other than the default, which is board for board_id, is newer, and stays. Used by feed.mend_rows.';
