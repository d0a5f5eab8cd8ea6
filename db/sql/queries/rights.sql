-- Each service needs the privileges that were granted to its group role. Checks whether the current role has all of them,
-- whatever their source.
WITH purposes AS (
    SELECT p.nr, p.does, p.granted, r.oid
    FROM (VALUES (1, 'boardcast api', 'feed_app'), (2, 'boardcast feed', 'feed_listener'), (3, 'monitoring', 'feed_dba')) AS p(nr, does, granted)
    LEFT JOIN pg_roles AS r ON r.rolname = p.granted
), objects AS (
    SELECT c.oid, c.relacl, CASE c.relkind WHEN 'S' THEN 'sequence' ELSE 'table' END AS kind
    FROM pg_class AS c
    WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = 'feed') AND c.relkind IN ('r', 'p', 'v', 'S')
       OR c.oid IN (to_regclass('public.users'), to_regclass('public.opportunities'))
       -- The tables that were adopted under other names: this role may not be allowed to read feed.adopted.
       OR c.oid IN (SELECT t.tgrelid FROM pg_trigger AS t JOIN pg_proc AS p ON p.oid = t.tgfoid
                    WHERE p.pronamespace = (SELECT oid FROM pg_namespace WHERE nspname = 'feed') AND p.proname IN ('version_opportunity', 'forget_users'))
), needs AS (
    SELECT a.grantee, format('%s on %s', a.privilege_type, o.oid::regclass) AS what,
           CASE o.kind WHEN 'sequence' THEN has_sequence_privilege(o.oid, a.privilege_type)
                       ELSE has_table_privilege(o.oid, a.privilege_type) END AS has
    FROM objects AS o CROSS JOIN LATERAL aclexplode(o.relacl) AS a
    UNION ALL
    SELECT a.grantee, format('%s (%s) on %s', a.privilege_type, c.attname, c.attrelid::regclass),
           has_column_privilege(c.attrelid, c.attnum, a.privilege_type)
    FROM pg_attribute AS c JOIN objects AS o ON o.oid = c.attrelid CROSS JOIN LATERAL aclexplode(c.attacl) AS a
    UNION ALL
    SELECT a.grantee, format('EXECUTE on %s', p.oid::regprocedure), has_function_privilege(p.oid, 'EXECUTE')
    FROM pg_proc AS p CROSS JOIN LATERAL aclexplode(p.proacl) AS a
    WHERE p.pronamespace = (SELECT oid FROM pg_namespace WHERE nspname = 'feed')
    UNION ALL
    SELECT a.grantee, 'USAGE on schema feed', has_schema_privilege(n.oid, 'USAGE')
    FROM pg_namespace AS n CROSS JOIN LATERAL aclexplode(n.nspacl) AS a WHERE n.nspname = 'feed'
)
SELECT p.does, p.granted, current_user AS role, count(n.what) > 0 AS known, count(*) FILTER (WHERE NOT n.has) AS lacking,
       min(n.what) FILTER (WHERE NOT n.has) AS first
FROM purposes AS p LEFT JOIN needs AS n ON n.grantee = p.oid
GROUP BY p.nr, p.does, p.granted ORDER BY p.nr
