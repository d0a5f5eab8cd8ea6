-- Attached tables, since when each is attached, and what is wrong with the tables and their triggers. Transaction IDs of
-- another cluster mean nothing here: if the table was attached there, the start of the log in this cluster counts. If the log
-- was pruned, the first row that was kept counts, because the last pruned transactions may have written under subtransaction
-- IDs greater than their own.
WITH tables AS MATERIALIZED (
    SELECT * FROM feed.attached_tables
), problems AS (
    SELECT t.relation, t.name, t.state, t.problem, t.fix FROM tables AS t
    UNION ALL
    SELECT t.relation, t.relation::text, CASE WHEN array_position(t.key, NULL) IS NULL THEN 'on' ELSE 'unknown' END,
           t.trigger || ' is ' || t.state, t.fix
    FROM feed.triggers AS t
    WHERE t.state NOT IN ('on', 'always') AND t.relation IN (SELECT a.relation FROM tables AS a)
    UNION ALL
    SELECT i.relation, i.relation::text, 'on', 'no index makes its key unique', i.fix FROM feed.indexes AS i WHERE i.index IS NULL
)
SELECT p.name, coalesce(feed.relation_name(p.relation), p.name) AS logged_as,
       greatest(i.floor_xid, i.first_xid, CASE WHEN i.floor_seq > 0 THEN kept.xid END,
                CASE WHEN a.xid < pg_snapshot_xmax(pg_current_snapshot()) THEN a.xid END)::text AS since,
       coalesce(array_agg(p.problem ORDER BY p.problem) FILTER (WHERE p.problem IS NOT NULL), '{}') AS faults,
       coalesce(array_agg(DISTINCT p.fix) FILTER (WHERE p.fix IS NOT NULL), '{}') AS fixes,
       -- The log is about another table than the one that has this name, has it under another name, or its key was dropped.
       p.relation IS NOT NULL AND bool_and(p.state NOT IN ('replaced', 'renamed', 'unknown')) AS comparable,
       greatest(c.reltuples, 0)::bigint AS rows
FROM problems AS p
CROSS JOIN feed.identity AS i
LEFT JOIN LATERAL (SELECT l.xid FROM feed.log AS l WHERE l.partition_number >= i.first_partition ORDER BY l.xid LIMIT 1) AS kept ON true
LEFT JOIN pg_class AS c ON c.oid = p.relation
LEFT JOIN feed.attached AS a ON a.relation = p.relation
GROUP BY p.relation, p.name, i.floor_seq, i.floor_xid, i.first_xid, kept.xid, a.xid, c.reltuples
ORDER BY 1
