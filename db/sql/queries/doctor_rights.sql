-- What each service needs is what its group role was granted; whether this role has all of that, from wherever it has it.
WITH purposes AS (
    SELECT p.nr, p.does, p.granted, r.oid
    FROM (VALUES (1, 'boardcast api', 'feed_app'), (2, 'boardcast feed', 'feed_listener'), (3, 'looking', 'feed_dba')) AS p(nr, does, granted)
    LEFT JOIN pg_roles AS r ON r.rolname = p.granted
), objects AS (
    SELECT c.oid, c.relacl, CASE c.relkind WHEN 'S' THEN 'sequence' ELSE 'table' END AS kind
    FROM pg_class AS c
    WHERE c.relnamespace = 'feed'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'S')
       OR c.oid = ANY (ARRAY[to_regclass('public.users'), to_regclass('public.boards'), to_regclass('public.board_members'),
                             to_regclass('public.opportunities'), to_regclass('public.opportunity_versions'), to_regclass('public.user_presence')])
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
    FROM pg_proc AS p CROSS JOIN LATERAL aclexplode(p.proacl) AS a WHERE p.pronamespace = 'feed'::regnamespace
    UNION ALL
    SELECT a.grantee, 'USAGE on schema feed', has_schema_privilege(n.oid, 'USAGE')
    FROM pg_namespace AS n CROSS JOIN LATERAL aclexplode(n.nspacl) AS a WHERE n.nspname = 'feed'
), verdicts AS (
    SELECT p.nr, p.does, p.granted, count(n.what) AS needed, count(*) FILTER (WHERE NOT n.has) AS lacking,
           min(n.what) FILTER (WHERE NOT n.has) AS first
    FROM purposes AS p LEFT JOIN needs AS n ON n.grantee = p.oid
    GROUP BY p.nr, p.does, p.granted
)
SELECT 'rights' AS topic, CASE WHEN bool_or(needed = 0) OR bool_and(lacking > 0) THEN 'bad' ELSE 'ok' END AS status,
       format('role %s may do: ', current_user)
       || string_agg(CASE WHEN needed = 0 THEN format('%s, not known: role %s is missing, or was granted nothing', does, granted)
                          WHEN lacking = 0 THEN does || ', yes'
                          WHEN lacking = 1 THEN format('%s, no: it lacks %s', does, first)
                          ELSE format('%s, no: it lacks %s and %s more', does, first, lacking - 1) END, '; ' ORDER BY nr) AS found,
       CASE WHEN bool_or(needed = 0)
            THEN 'CREATE ROLE feed_app; CREATE ROLE feed_listener; CREATE ROLE feed_dba; -- then restore the dump again: its grants were lost, as roles are the cluster''s'
            WHEN bool_and(lacking > 0)
            THEN format('GRANT feed_dba TO %I; -- to look; feed_app for boardcast api, feed_listener for boardcast feed', current_user) END AS cure
FROM verdicts
