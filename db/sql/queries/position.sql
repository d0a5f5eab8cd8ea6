-- Position of the log in the snapshot of this statement: its newest transaction, and its newest row (the anchor of a
-- cursor).
SELECT pg_current_snapshot()::text AS snapshot,
       greatest((SELECT l.xid::text::bigint FROM feed.log AS l WHERE l.partition_number >= i.first_partition ORDER BY l.xid DESC LIMIT 1),
                nullif(i.first_xid::text::bigint, 0) - 1) AS last_xid,
       anchor.seq, anchor.xid::text::bigint AS xid, anchor.at
FROM feed.identity AS i
LEFT JOIN LATERAL (SELECT l.seq, l.xid, l.at FROM feed.log AS l ORDER BY l.seq DESC LIMIT 1) AS anchor ON true
