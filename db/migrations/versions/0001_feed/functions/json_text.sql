CREATE FUNCTION feed.json_text(expression text, type oid) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN type = ANY ('{text,varchar,uuid,int2,int4,int8,numeric}'::regtype[]) THEN format('%s::text', expression)
                ELSE format('(to_jsonb(%s) #>> ''{}'')', expression) END
$$;
COMMENT ON FUNCTION feed.json_text(text, oid) IS
    'SQL expression of a value''s text in a row image, which is not always that of a cast: character(n) keeps its blanks.';
