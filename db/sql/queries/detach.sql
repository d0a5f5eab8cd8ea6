-- A table that was dropped is found by the name that it had.
SELECT CASE WHEN g.relation IS NULL THEN t.relation::text ELSE %(table)s END AS name, feed.detach(t.relation)::text
FROM (SELECT (SELECT a.relation FROM feed.attached AS a
              WHERE NOT EXISTS (SELECT FROM pg_class AS c WHERE c.oid = a.relation)
                AND (%(table)s::text IN (format('%%I.%%I', a.schema_name, a.table_name), a.relation::text)
                     OR a.schema_name = 'public' AND %(table)s::text = quote_ident(a.table_name))
                AND to_regclass(%(table)s::text) IS NULL LIMIT 1) AS relation) AS g
CROSS JOIN LATERAL (SELECT coalesce(g.relation, %(table)s::text::regclass) AS relation) AS t
