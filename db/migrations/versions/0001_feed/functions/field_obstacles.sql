-- Reasons why columns cannot be the fields of a card. Lists all of them, so that you can correct all names at once.
CREATE FUNCTION feed.field_obstacles(target regclass, columns jsonb) RETURNS SETOF text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    key_column text := coalesce((SELECT f.name FROM feed.field_columns() AS f WHERE f.field = 'id' AND target = feed.opportunities_table()), feed.single_key(target));
BEGIN
    RETURN QUERY
    WITH fields(field, categories, wanted) AS (
        VALUES ('board_id', 'SNUBDE', 'a text, a number, a uuid, or an enum'), ('phase', 'SNUBDE', 'a text, a number, a uuid, or an enum'),
               ('owner_id', 'SNUBDE', 'a text, a number, a uuid, or an enum'), ('position', 'SN', 'a text or a number'),
               ('title', 'S', 'a text'), ('company', 'S', 'a text'), ('contact', 'S', 'a text'), ('notes', 'S', 'a text'),
               ('currency', 'SE', 'a text or an enum'), ('value', 'N', 'a number'), ('probability', 'N', 'a number'),
               ('expected_close_date', 'D', 'a date or a time')
    ), given AS (
        SELECT c.key AS field, c.value AS name, f.categories, f.wanted FROM jsonb_each_text(columns) AS c LEFT JOIN fields AS f ON f.field = c.key
    ), found AS (
        SELECT g.*, a.attnum, a.attgenerated, format_type(a.atttypid, a.atttypmod) AS type, y.typtype,
               -- An enum is a text to clients; money, bytea, json and the like have no form that a field can have.
               CASE WHEN y.typtype = 'e' THEN 'E' WHEN y.oid = 'uuid'::regtype THEN 'U' WHEN y.oid = ANY ('{money,oid,time,timetz}'::regtype[]) OR y.typtype IN ('c', 'p')
                    THEN '-' WHEN y.typcategory = 'U' THEN '-' ELSE y.typcategory::text END AS category
        FROM given AS g
        LEFT JOIN pg_attribute AS a ON a.attrelid = target AND a.attname = g.name AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN pg_type AS y ON y.oid = a.atttypid
    )
    SELECT format('there is no field %s; the fields are %s', quote_ident(g.field), (SELECT string_agg(f.field, ', ' ORDER BY f.field) FROM fields AS f))
    FROM given AS g WHERE g.categories IS NULL
    UNION ALL
    SELECT format('it has no column %s; its columns are %s', quote_ident(f.name),
                  (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute AS a WHERE a.attrelid = target AND a.attnum > 0 AND NOT a.attisdropped))
    FROM found AS f WHERE f.categories IS NOT NULL AND f.attnum IS NULL
    UNION ALL
    SELECT format('column %s is named for %s', quote_ident(f.name), string_agg(f.field, ' and ' ORDER BY f.field))
    FROM found AS f WHERE f.attnum IS NOT NULL GROUP BY f.name HAVING count(*) > 1
    UNION ALL
    SELECT format('column %s is the key, so it cannot be the %s', quote_ident(f.name), f.field) FROM found AS f WHERE f.attnum IS NOT NULL AND f.name = key_column
    UNION ALL
    SELECT format('column %s is set by boardcast, so it cannot be the %s', quote_ident(f.name), f.field)
    FROM found AS f WHERE f.attnum IS NOT NULL AND f.name IN ('version_number', 'last_sync_at', 'last_modified_by')
    UNION ALL
    SELECT format('column %s is of type %s, but the %s has to be %s', quote_ident(f.name), f.type, f.field, f.wanted)
    FROM found AS f WHERE f.attnum IS NOT NULL AND strpos(f.categories, f.category) = 0
    UNION ALL
    SELECT format('column %s is virtual, so triggers do not see its value', quote_ident(f.name)) FROM found AS f WHERE f.attgenerated = 'v';
END
$$;
COMMENT ON FUNCTION feed.field_obstacles(regclass, jsonb) IS
    'What keeps the named columns of a table from being the fields of cards; no row if nothing does. Used by feed.card_obstacles.';
