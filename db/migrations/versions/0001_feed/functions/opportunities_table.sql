CREATE FUNCTION feed.opportunities_table() RETURNS regclass
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT a.relation FROM feed.adopted AS a JOIN pg_class AS c ON c.oid = a.relation WHERE a.role = 'opportunities'
$$;
COMMENT ON FUNCTION feed.opportunities_table() IS
    'The table whose rows are the cards of the boards, also after it was renamed or moved to another schema; null: none, or it was dropped.';
