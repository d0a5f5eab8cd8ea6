-- The services read and write the table of the opportunities, wherever the application has moved it. Of a table of users that was
-- named in feed.adopt they read the two columns that they need: it may hold secrets.
CREATE FUNCTION feed.mend_privileges() RETURNS SETOF text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    each record;
BEGIN
    FOR each IN
        SELECT w.of, w.relation, n.nspname AS schema, w.role, w.rights
        FROM (
            SELECT a.role AS of, c.oid::regclass AS relation, c.relnamespace, g.role, g.rights,
                   (SELECT bool_and(has_table_privilege(g.role, c.oid, r.name)) FROM unnest(string_to_array(g.rights, ', ')) AS r(name)) AS granted
            FROM feed.adopted AS a
            JOIN pg_class AS c ON c.oid = a.relation
            JOIN (VALUES ('opportunities', 'feed_app', 'SELECT, INSERT, UPDATE, DELETE'), ('opportunities', 'feed_listener', 'SELECT'),
                         ('opportunities', 'feed_dba', 'SELECT'), ('users', 'feed_app', 'SELECT, INSERT, UPDATE, DELETE'), ('users', 'feed_dba', 'SELECT')
                 ) AS g(of, role, rights) ON g.of = a.role
            WHERE a.role <> 'users' OR a.name IS NULL
            UNION ALL
            SELECT a.role, c.oid, c.relnamespace, g.role, format('SELECT (%s)', string_agg(quote_ident(k.name), ', ')),
                   bool_and(has_column_privilege(g.role, c.oid, k.name, 'SELECT'))
            FROM feed.adopted AS a
            JOIN pg_class AS c ON c.oid = a.relation
            CROSS JOIN feed.user_columns() AS u
            CROSS JOIN LATERAL unnest(ARRAY[u.key_column, u.name_column]) AS k(name)
            CROSS JOIN unnest('{feed_app,feed_dba}'::text[]) AS g(role)
            WHERE a.role = 'users' AND a.name IS NOT NULL AND k.name IS NOT NULL
            GROUP BY a.role, c.oid, c.relnamespace, g.role
        ) AS w
        JOIN pg_namespace AS n ON n.oid = w.relnamespace
        WHERE NOT w.granted OR NOT has_schema_privilege(w.role, n.nspname, 'USAGE')
        ORDER BY w.of, w.role
    LOOP
        IF NOT has_schema_privilege(each.role, each.schema, 'USAGE') THEN
            EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', each.schema, each.role);
            UPDATE feed.adopted AS a SET granted = a.granted || each.schema::text WHERE a.role = each.of AND each.schema <> ALL (a.granted);
        END IF;
        EXECUTE format('GRANT %s ON %s TO %I', each.rights, each.relation, each.role);
        RETURN NEXT format('granted %s on %s to %s', each.rights, each.relation, each.role);
    END LOOP;
END
$$;
COMMENT ON FUNCTION feed.mend_privileges() IS 'Grants the services what they need on users and opportunities. Used by feed.mend.';
