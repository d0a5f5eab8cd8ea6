-- Attached tables, since when each is attached, and what is wrong with its triggers. Transaction IDs of another cluster
-- mean nothing here: if the table was attached there, the start of the log in this cluster counts. If the log was pruned,
-- the first row that was kept counts, because the last pruned transactions may have written under subtransaction IDs
-- greater than their own.
SELECT t.relation::text AS name, feed.relation_name(t.relation) AS logged_as,
       greatest(i.floor_xid, i.first_xid, CASE WHEN i.floor_seq > 0 THEN kept.xid END,
                CASE WHEN a.xid < pg_snapshot_xmax(pg_current_snapshot()) THEN a.xid END)::text AS since,
       coalesce(array_agg(t.trigger || ' is ' || t.state ORDER BY t.trigger) FILTER (WHERE t.state NOT IN ('on', 'always')), '{}') AS faults,
       greatest(c.reltuples, 0)::bigint AS rows
FROM feed.triggers AS t
CROSS JOIN feed.identity AS i
LEFT JOIN LATERAL (SELECT l.xid FROM feed.log AS l WHERE l.partition_number >= i.first_partition ORDER BY l.xid LIMIT 1) AS kept ON true
JOIN pg_class AS c ON c.oid = t.relation
LEFT JOIN feed.attached AS a ON a.relation = t.relation
-- A table without any capture trigger is not attached any more; feed.health reports it if it should be.
GROUP BY t.relation, i.floor_seq, i.floor_xid, i.first_xid, kept.xid, a.xid, c.reltuples
HAVING bool_or(t.function = 'capture' AND t.state <> 'missing')
ORDER BY 1
