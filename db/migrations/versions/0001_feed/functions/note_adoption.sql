CREATE FUNCTION feed.note_adoption(cards regclass, columns jsonb, people regclass, user_columns jsonb) RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    INSERT INTO feed.adopted AS a (role, relation, created, name, columns)
    SELECT n.role, n.relation, false, format('%I.%I', s.nspname, c.relname),
           (SELECT coalesce(jsonb_object_agg(g.key, jsonb_build_object('names', jsonb_build_array(g.value), 'number', t.attnum, 'table', t.attrelid::bigint)), '{}')
            FROM jsonb_each_text(n.columns) AS g JOIN pg_attribute AS t ON t.attrelid = n.relation AND t.attname = g.value)
    FROM (VALUES ('opportunities', cards, columns), ('users', people, user_columns)) AS n(role, relation, columns)
    JOIN pg_class AS c ON c.oid = n.relation
    JOIN pg_namespace AS s ON s.oid = c.relnamespace
    ON CONFLICT (role) DO UPDATE
    SET relation = excluded.relation, name = excluded.name, created = a.created AND a.relation = excluded.relation,
        -- The names that the column of a field has had, for what the log has under them.
        columns = CASE WHEN a.relation = excluded.relation OR a.role = 'opportunities' THEN a.columns ELSE '{}' END || (
            SELECT coalesce(jsonb_object_agg(e.key, e.value || jsonb_build_object('names', coalesce(
                (SELECT jsonb_agg(o.name) FROM jsonb_array_elements(a.columns -> e.key -> 'names') AS o(name) WHERE o.name <> e.value -> 'names' -> 0), '[]') || (e.value -> 'names'))), '{}')
            FROM jsonb_each(excluded.columns) AS e)
$$;
COMMENT ON FUNCTION feed.note_adoption(regclass, jsonb, regclass, jsonb) IS
    'Writes into feed.adopted which table is the board, and which columns hold the fields. Used by feed.adopt_table.';
