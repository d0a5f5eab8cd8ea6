-- What boardcast has granted is noted, so that it can be revoked when it is no longer needed: another table of users may have been named,
-- or another column of it. What the application has granted to the same roles stays.
CREATE FUNCTION feed.mend_privileges() RETURNS SETOF text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    each record;
    object text;
BEGIN
    FOR each IN
        SELECT a.role AS adopted, g.entry, c.oid::regclass AS relation, t.attname AS column_name, n.nspname AS schema_name,
               -- Revoking a privilege on a table also revokes it on the columns.
               (SELECT string_agg(quote_ident(k.attname), ', ' ORDER BY k.attnum)
                FROM pg_attribute AS k CROSS JOIN LATERAL aclexplode(k.attacl) AS x
                WHERE k.attrelid = c.oid AND NOT k.attisdropped AND x.privilege_type = g.entry ->> 'privilege' AND x.grantee = to_regrole(g.entry ->> 'role')
                  AND NOT g.entry ? 'column') AS other_columns
        FROM feed.adopted AS a
        CROSS JOIN LATERAL jsonb_array_elements(a.granted) WITH ORDINALITY AS g(entry, place)
        LEFT JOIN pg_class AS c ON c.oid = (g.entry ->> 'table')::oid
        LEFT JOIN pg_attribute AS t ON t.attrelid = c.oid AND t.attnum = (g.entry ->> 'column')::smallint AND NOT t.attisdropped
        LEFT JOIN pg_namespace AS n ON n.nspname = g.entry ->> 'schema'
        WHERE NOT EXISTS (SELECT FROM feed.needed_grants() AS w WHERE w.entry = g.entry)
        ORDER BY a.role, g.entry ? 'schema', g.place
    LOOP
        -- What was dropped has no privileges.
        IF num_nulls(each.relation::text, each.schema_name) = 1 AND (each.entry ? 'column') = (each.column_name IS NOT NULL) THEN
            object := CASE WHEN each.entry ? 'schema' THEN format(' ON SCHEMA %I', each.schema_name)
                           WHEN each.entry ? 'column' THEN format(' (%I) ON %s', each.column_name, each.relation) ELSE format(' ON %s', each.relation) END;
            BEGIN
                EXECUTE format('REVOKE %s%s FROM %I', each.entry ->> 'privilege', object, each.entry ->> 'role');
                IF each.other_columns IS NOT NULL THEN
                    EXECUTE format('GRANT %s (%s) ON %s TO %I', each.entry ->> 'privilege', each.other_columns, each.relation, each.entry ->> 'role');
                END IF;
            EXCEPTION WHEN insufficient_privilege THEN
                RETURN NEXT format('could not revoke %s%s from %s: only the owner can', each.entry ->> 'privilege', object, each.entry ->> 'role');
                CONTINUE;
            END;
            RETURN NEXT format('revoked %s%s from %s', each.entry ->> 'privilege', object, each.entry ->> 'role');
        END IF;
        UPDATE feed.adopted AS a SET granted = (SELECT coalesce(jsonb_agg(g.entry), '[]') FROM jsonb_array_elements(a.granted) AS g(entry) WHERE g.entry <> each.entry)
        WHERE a.role = each.adopted;
    END LOOP;
    FOR each IN
        SELECT w.adopted, w.relation, w.schema_name, w.entry ->> 'role' AS role, jsonb_agg(w.entry) AS entries,
               CASE WHEN bool_or(w.entry ? 'column') THEN format('SELECT (%s)', string_agg(quote_ident(w.column_name), ', ' ORDER BY (w.entry ->> 'column')::smallint))
                    ELSE string_agg(w.entry ->> 'privilege', ', ' ORDER BY array_position('{SELECT,INSERT,UPDATE,DELETE}', w.entry ->> 'privilege')) END AS privileges
        FROM feed.needed_grants() AS w WHERE NOT w.is_granted
        GROUP BY w.adopted, w.relation, w.schema_name, w.entry ->> 'role'
        ORDER BY w.relation IS NOT NULL, w.adopted, w.entry ->> 'role'
    LOOP
        object := CASE WHEN each.relation IS NULL THEN format('SCHEMA %I', each.schema_name) ELSE each.relation::text END;
        EXECUTE format('GRANT %s ON %s TO %I', each.privileges, object, each.role);
        UPDATE feed.adopted AS a SET granted = a.granted || each.entries WHERE a.role = each.adopted;
        RETURN NEXT format('granted %s on %s to %s', each.privileges, object, each.role);
    END LOOP;
END
$$;
COMMENT ON FUNCTION feed.mend_privileges() IS
    'Grants the services what they need on users and opportunities, and revokes what boardcast granted them on tables that are no longer used. Used by feed.mend.';
