CREATE FUNCTION feed.plain_text(expression text, type oid) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN feed.trusted_type(type) THEN format('%s::text', expression)
                ELSE format('CASE WHEN %1$s IS DISTINCT FROM NULL THEN concat(%1$s) END', expression) END
$$;
COMMENT ON FUNCTION feed.plain_text(text, oid) IS
    'SQL expression of a value as text, without casts of an application (see feed.trusted_type).';
