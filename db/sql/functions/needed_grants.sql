-- The services read and write the table of the opportunities, wherever the application has moved it. Of a table of users that was
-- named in feed.adopt they read the two columns that they need: it may hold secrets.
CREATE FUNCTION feed.needed_grants() RETURNS TABLE (adopted text, entry jsonb, relation regclass, schema_name text, column_name text, is_granted boolean)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    WITH tables AS (
        SELECT a.role, a.role = 'users' AND a.name IS NOT NULL AS by_column, c.oid, c.relnamespace FROM feed.adopted AS a JOIN pg_class AS c ON c.oid = a.relation
    ), needed AS (
        SELECT t.role, g.role AS grantee, p.privilege, t.oid, t.relnamespace, NULL::smallint AS attnum, NULL::name AS attname
        FROM tables AS t
        JOIN (VALUES ('opportunities', 'feed_app', 'SELECT, INSERT, UPDATE, DELETE'), ('opportunities', 'feed_listener', 'SELECT'),
                     ('opportunities', 'feed_dba', 'SELECT'), ('users', 'feed_app', 'SELECT, INSERT, UPDATE, DELETE'), ('users', 'feed_dba', 'SELECT')
             ) AS g(adopted, role, privileges) ON g.adopted = t.role
        CROSS JOIN LATERAL unnest(string_to_array(g.privileges, ', ')) AS p(privilege)
        WHERE NOT t.by_column
        UNION ALL
        SELECT t.role, g.role, 'SELECT', t.oid, t.relnamespace, a.attnum, a.attname
        FROM tables AS t
        CROSS JOIN feed.user_columns() AS u
        JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attname IN (u.key_column, u.name_column) AND a.attnum > 0 AND NOT a.attisdropped
        CROSS JOIN unnest('{feed_app,feed_dba}'::text[]) AS g(role)
        WHERE t.by_column
    )
    SELECT n.role, jsonb_strip_nulls(jsonb_build_object('role', n.grantee, 'privilege', n.privilege, 'table', n.oid::bigint, 'column', n.attnum)),
           n.oid::regclass, NULL::text, n.attname::text,
           CASE WHEN n.attnum IS NULL THEN has_table_privilege(n.grantee, n.oid, n.privilege) ELSE has_column_privilege(n.grantee, n.oid, n.attnum, n.privilege) END
    FROM needed AS n
    UNION ALL
    SELECT min(n.role), jsonb_build_object('role', n.grantee, 'privilege', 'USAGE', 'schema', s.nspname), NULL, s.nspname::text, NULL,
           has_schema_privilege(n.grantee, s.oid, 'USAGE')
    FROM needed AS n JOIN pg_namespace AS s ON s.oid = n.relnamespace
    GROUP BY s.oid, s.nspname, n.grantee
$$;
COMMENT ON FUNCTION feed.needed_grants() IS
    'The privileges that the services need on tables of the application and their schemas, each as feed.adopted.granted has it, and whether they have it. Used by feed.mend_privileges.';
