-- Writes the condition so that an index on the column is used, whatever its type, and a value that is not of this type
-- matches nothing instead of raising an error.
CREATE FUNCTION feed.matches_any(expression text, type oid, given text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE
        WHEN b.name IN ('text', 'character varying', 'character', 'name') THEN format('%s = ANY (%s::%s[])', expression, given, t.cast)
        WHEN t.cast IS NOT NULL
        THEN format('%s = ANY (ARRAY(SELECT CASE WHEN g.v ~* %L THEN g.v::%s END FROM unnest(%s) AS g(v)))', expression, t.form, t.cast, given)
        ELSE format('%s = ANY (%s)', feed.json_text(expression, type), given) END
    FROM (SELECT format_type(CASE y.typtype WHEN 'd' THEN y.typbasetype ELSE y.oid END, NULL) AS name FROM pg_type AS y WHERE y.oid = type) AS b
    LEFT JOIN (VALUES ('text', 'text', NULL), ('character varying', 'text', NULL), ('character', 'bpchar', NULL), ('name', 'name', NULL),
                      ('smallint', 'bigint', '^-?[0-9]{1,18}$'), ('integer', 'bigint', '^-?[0-9]{1,18}$'), ('bigint', 'bigint', '^-?[0-9]{1,18}$'),
                      ('numeric', 'numeric', '^-?[0-9]+([.][0-9]+)?$'),
                      ('uuid', 'uuid', '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$')) AS t(name, "cast", form) ON t.name = b.name
$$;
COMMENT ON FUNCTION feed.matches_any(text, oid, text) IS
    'SQL condition that an expression of this type equals one of the values in an array of text.';
