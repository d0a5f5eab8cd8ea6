-- The fed tables, since when each is fed, and what of its triggers is not as it should be. A transaction of another cluster's says nothing: then
-- it is since the log was begun in this one. Of a log that was pruned it is since what is kept: the last transactions of what is not may have
-- written under ids that were given to their savepoints, above their own.
SELECT t.relation::text AS name, feed.relation_name(t.relation) AS logged_as,
       greatest(i.floor_xid, i.first_xid, CASE WHEN i.floor_seq > 0 THEN kept.xid END,
                CASE WHEN a.xid < pg_snapshot_xmax(pg_current_snapshot()) THEN a.xid END)::text AS since,
       coalesce(array_agg(t.trigger || ' is ' || t.state ORDER BY t.trigger) FILTER (WHERE t.state NOT IN ('on', 'always')), '{}') AS faults,
       greatest(c.reltuples, 0)::bigint AS rows
FROM feed.triggers AS t
CROSS JOIN feed.identity AS i
LEFT JOIN LATERAL (SELECT l.xid FROM feed.log AS l WHERE l.era >= i.first_era ORDER BY l.xid LIMIT 1) AS kept ON true
JOIN pg_class AS c ON c.oid = t.relation
LEFT JOIN feed.attached AS a ON a.relation = t.relation
-- One without any trigger that captures is none any more; feed.health says so.
GROUP BY t.relation, i.floor_seq, i.floor_xid, i.first_xid, kept.xid, a.xid, c.reltuples
HAVING bool_or(t.function = 'capture' AND t.state <> 'missing')
ORDER BY 1
