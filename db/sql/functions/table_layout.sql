CREATE FUNCTION feed.table_layout(target oid) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    -- PostgreSQL 17 can give a generated column another expression.
    SELECT coalesce(jsonb_object_agg(a.attname, concat_ws(' ', a.attnum, format_type(a.atttypid, a.atttypmod), md5(pg_get_expr(d.adbin, d.adrelid)))), '{}')
    FROM pg_attribute AS a LEFT JOIN pg_attrdef AS d ON a.attgenerated <> '' AND d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = target AND a.attnum > 0 AND NOT a.attisdropped
$$;
COMMENT ON FUNCTION feed.table_layout(oid) IS 'The columns of a table by name: the number and the type of each, and a hash of the expression that generates it.';
