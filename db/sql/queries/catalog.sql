-- What exists in schema feed, and the triggers elsewhere that call its functions: one row for each object, with its definition in a
-- form that does not depend on the version of PostgreSQL, nor on the order of columns. `part_of` is the relation to which an object
-- belongs.
-- Left out: the numbered partitions of the log, which come and go; triggers of attached tables and of the application's (see
-- feed.triggers) and owners (see feed.health), which the feed itself checks.
WITH relations AS (
    SELECT c.oid, c.relname, c.relkind, c.relpersistence, c.relispartition, c.relacl, c.relowner, format('%I.%I', n.nspname, c.relname) AS name
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'S')
      AND n.nspname = 'feed' AND c.relname !~ '^log_[0-9]+$'
), functions AS (
    SELECT p.*, format('feed.%I(%s)', p.proname, pg_get_function_identity_arguments(p.oid)) AS name
    FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace WHERE n.nspname = 'feed'
), grants AS (
    SELECT r.name AS object, r.relacl AS acl, r.relowner AS owner FROM relations AS r
    UNION ALL
    SELECT f.name, f.proacl, f.proowner FROM functions AS f
    UNION ALL
    SELECT 'schema feed', n.nspacl, n.nspowner FROM pg_namespace AS n WHERE n.nspname = 'feed'
    UNION ALL
    SELECT format('%s (%I)', r.name, a.attname), a.attacl, r.relowner FROM relations AS r JOIN pg_attribute AS a ON a.attrelid = r.oid AND NOT a.attisdropped
)
SELECT 'schema' AS kind, 'feed' AS name, NULL AS part_of, pg_get_userbyid(n.nspowner)::text AS definition FROM pg_namespace AS n WHERE n.nspname = 'feed'
UNION ALL
SELECT CASE WHEN r.relkind IN ('r', 'p') THEN 'table' WHEN r.relkind = 'v' THEN 'view' ELSE 'sequence' END, r.name, NULL,
       CASE r.relkind WHEN 'v' THEN md5(regexp_replace(pg_get_viewdef(r.oid), '\) \w+\([\w, "]+\)|[\s()]|\m\w+\.', '', 'g'))
                      WHEN 'S' THEN concat_ws(' ', format_type(s.seqtypid, NULL), s.seqincrement, s.seqmin, s.seqcycle)
                      ELSE concat_ws(' ', CASE r.relkind WHEN 'p' THEN 'partitioned' END,
                                     CASE r.relpersistence WHEN 'u' THEN 'unlogged' ELSE 'permanent' END,
                                     CASE WHEN r.relispartition THEN 'partition' END) END
FROM relations AS r LEFT JOIN pg_sequence AS s ON s.seqrelid = r.oid
UNION ALL
SELECT 'column', format('%s.%I', r.name, a.attname), r.name,
       concat(format_type(a.atttypid, a.atttypmod), ' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), CASE WHEN a.attnotnull THEN ' NOT NULL' END)
FROM relations AS r
JOIN pg_attribute AS a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE r.relkind IN ('r', 'p') AND NOT r.relispartition
UNION ALL
SELECT 'constraint', format('%I on %s', k.conname, r.name), r.name, pg_get_constraintdef(k.oid)
FROM relations AS r JOIN pg_constraint AS k ON k.conrelid = r.oid AND k.contype IN ('c', 'f', 'p', 'u', 'x')
WHERE NOT r.relispartition
UNION ALL
SELECT 'index', format('%I on %s', c.relname, r.name), r.name, pg_get_indexdef(i.indexrelid) || CASE WHEN i.indisvalid THEN '' ELSE ' (invalid)' END
FROM relations AS r JOIN pg_index AS i ON i.indrelid = r.oid JOIN pg_class AS c ON c.oid = i.indexrelid
WHERE NOT r.relispartition AND NOT EXISTS (SELECT FROM pg_constraint AS k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
UNION ALL
SELECT 'trigger', format('%I on %s', t.tgname, r.name), r.name,
       concat_ws(' ', regexp_replace(pg_get_triggerdef(t.oid), '[()]', '', 'g'), CASE WHEN t.tgenabled NOT IN ('O', 'A') THEN 'disabled' END)
FROM (SELECT c.oid, format('%I.%I', n.nspname, c.relname) AS name FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace) AS r
JOIN pg_trigger AS t ON t.tgrelid = r.oid JOIN functions AS f ON f.oid = t.tgfoid
WHERE NOT t.tgisinternal AND f.proname NOT IN ('capture', 'begin_statement', 'version_opportunity', 'forget_users')
UNION ALL
SELECT 'function', f.name, NULL,
       concat_ws(' ', l.lanname, pg_get_function_result(f.oid), f.provolatile, f.proparallel, CASE WHEN f.proisstrict THEN 'strict' END,
                 CASE WHEN f.prosecdef THEN 'definer' END, f.proargnames::text, f.proconfig::text,
                 md5(coalesce(nullif(f.prosrc, ''), regexp_replace(pg_get_function_sqlbody(f.oid), '\) \w+\([\w, "]+\)|[\s()]|\m\w+\.', '', 'g'))))
FROM functions AS f JOIN pg_language AS l ON l.oid = f.prolang
UNION ALL
SELECT DISTINCT 'privilege', format('%s on %s of %s', a.privilege_type, g.object, pg_get_userbyid(a.grantee)), g.object, ''
FROM grants AS g CROSS JOIN LATERAL aclexplode(g.acl) AS a
WHERE a.grantee <> g.owner AND pg_get_userbyid(a.grantee) IN ('feed_app', 'feed_listener', 'feed_dba', 'feed_owner')
ORDER BY 1, 2
