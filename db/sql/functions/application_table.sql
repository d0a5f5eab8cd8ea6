CREATE FUNCTION feed.application_table(name text) RETURNS regclass
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT to_regclass(CASE WHEN cardinality(parse_ident(name)) = 1 THEN 'public.' || name ELSE name END)
$$;
COMMENT ON FUNCTION feed.application_table(text) IS
    'The table or view with this name, written as in SQL; without a schema, that in public. Null if there is none. Used by feed.adopt.';
