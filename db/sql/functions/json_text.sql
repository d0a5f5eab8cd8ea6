-- No conversion here runs code of the type's owner with the rights of the caller (see feed.trusted_type): concat calls the output
-- function of the type and no cast, and feed.value_image has no rights.
CREATE FUNCTION feed.json_text(expression text, type oid) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN type = ANY ('{text,varchar,uuid,int2,int4,int8,numeric}'::regtype[]) THEN format('%s::text', expression)
                WHEN feed.trusted_type(type) THEN format('(to_jsonb(%s) #>> ''{}'')', expression)
                WHEN EXISTS (SELECT FROM pg_type AS y WHERE y.oid = type AND y.typtype = 'e')
                     AND NOT EXISTS (SELECT FROM pg_cast AS c WHERE c.castsource = type) THEN feed.plain_text(expression, type)
                ELSE format('(feed.value_image(%s) #>> ''{}'')', expression) END
$$;
COMMENT ON FUNCTION feed.json_text(text, oid) IS
    'SQL expression of a value''s text in a row image, which is not always that of a cast: character(n) keeps its blanks.';
