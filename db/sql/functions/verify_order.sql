-- What is wrong with the log as a whole. A backend runs one transaction after the other, so its changes have growing transaction IDs in
-- the order of their sequence numbers. Changes that were logged in another cluster are left out: their transaction IDs and backends
-- mean nothing here.
CREATE FUNCTION feed.verify_order() RETURNS TABLE (finding text, key text, seq bigint, columns text[])
LANGUAGE sql STABLE
SET search_path = pg_catalog, feed, pg_temp
AS $$
    SELECT 'damaged', concat_ws(' ', o.relation, o.key), o.seq, array_remove(ARRAY[
               CASE WHEN o.xid >= pg_snapshot_xmax(pg_current_snapshot()) OR o.xid < o.last_xid THEN 'xid' END,
               CASE WHEN o.seq = o.last_seq OR o.seq > coalesce(pg_sequence_last_value('feed.log_seq'), 9223372036854775807) THEN 'seq' END], NULL)
    FROM (SELECT l.relation, l.key, l.seq, l.xid, lag(l.xid) OVER (PARTITION BY l.pid ORDER BY l.seq) AS last_xid, lag(l.seq) OVER (ORDER BY l.seq) AS last_seq
          FROM feed.log AS l CROSS JOIN feed.identity AS i WHERE l.partition_number >= i.first_partition) AS o
    WHERE o.xid >= pg_snapshot_xmax(pg_current_snapshot()) OR o.xid < o.last_xid OR o.seq = o.last_seq OR o.seq > coalesce(pg_sequence_last_value('feed.log_seq'), 9223372036854775807)
    UNION ALL
    -- A partition that was not pruned, because the ones before it were not.
    SELECT 'hole', format('feed.log_%s', n.number), p.first_seq, NULL
    FROM (SELECT min(substring(l.partition::text FROM '(\d+)$')::bigint) AS first FROM feed.log_partitions() AS l) AS b
    CROSS JOIN LATERAL generate_series(b.first, feed.current_partition()) AS n(number)
    CROSS JOIN LATERAL (SELECT min(l.first_seq) AS first_seq, bool_and(l.first_seq > i.floor_seq) AS kept
                        FROM feed.log_partitions() AS l CROSS JOIN feed.identity AS i
                        WHERE substring(l.partition::text FROM '(\d+)$')::bigint < n.number) AS p
    WHERE p.kept AND NOT EXISTS (SELECT FROM pg_inherits AS h JOIN pg_class AS c ON c.oid = h.inhrelid
                                 WHERE h.inhparent = 'feed.log'::regclass AND c.relname = format('log_%s', n.number))
$$;
COMMENT ON FUNCTION feed.verify_order() IS
    'What is wrong with the log as a whole. damaged: a change whose transaction ID or sequence number cannot be its own; hole: a partition between others is missing.';
