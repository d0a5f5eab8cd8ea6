-- A read pass: the changes that are visible now and were not visible at the cursor, and the snapshot that defines this,
-- from one statement.
--
-- Transactions are ordered by their last seq (among the selected rows), and rows by seq; never by xid. A board with more
-- than `threshold` changes gets one row instead, op resync, with its newest xid in last_xid. Some rows are always returned
-- individually (single): changes of memberships and flags, because they determine what users see; and truncate and reload,
-- which concern all boards. Boards are counted first, and rows that are not returned are not sorted.
--
-- The inner query sorts rows without their images; then each returned row is fetched by its key. So the sort is small,
-- nothing is read of rows that are not returned, and the first row arrives before the body of the last one is built.
--
-- Of a row above `largest` bytes, nothing is read: its op is large. To decompress it alone could take seconds.
WITH names AS MATERIALIZED (
    SELECT n.names FROM feed.card_names() AS n
)
SELECT (SELECT concat_ws(' ', i.feed_id, i.floor_xid, pg_current_snapshot()) FROM feed.identity AS i) AS place,
       o.seq, o.xid::text::bigint AS xid, l.at, l.relation,
       CASE WHEN o.bulk THEN 'resync' WHEN m.large THEN 'large' ELSE l.op END AS op, l.key, l.board, l.version, left(l.actor, 200) AS actor, left(l.origin, 200) AS origin, feed.valid_traceparent(l.traceparent) AS traceparent,
       CASE WHEN o.bulk OR m.large THEN NULL
            -- feed.changes(), inlined, and with ->> where that is sufficient, because this is the most expensive part of a
            -- row. The two images of a repair were made at different times, so a column may have had another type or may
            -- not have existed.
            WHEN l.op = 'update' AND l.delta IS NOT NULL THEN feed.compact_changes(c.old, c.new, l.delta)::text
            WHEN l.op = 'update' AND l.origin IS DISTINCT FROM 'repair' AND l.relation = ANY ((SELECT feed.plain_relations())::text[]) THEN
                (SELECT coalesce(jsonb_object_agg(f.key, c.new -> f.key), '{}')
                 FROM (SELECT jsonb_object_keys(c.new) AS key) AS f
                 WHERE c.new ->> f.key IS DISTINCT FROM c.old ->> f.key)::text
            WHEN l.op = 'update' THEN feed.changes(c.old, c.new)::text
            WHEN l.op IN ('insert', 'enter') AND l.relation = 'opportunities' THEN feed.opportunity_image(c.new, l.key, l.board, l.seq)::text
            WHEN l.op IN ('insert', 'enter') THEN c.new::text END AS body,
       CASE WHEN l.op = 'update' AND NOT m.large THEN c.old ->> 'phase' END AS from_phase,
       CASE WHEN l.op = 'update' AND NOT m.large AND (l.delta IS NULL OR c.old ? 'phase') THEN c.new ->> 'phase' END AS to_phase,
       CASE WHEN o.membership THEN coalesce(c.new, c.old) ->> 'user_id' END AS member,
       CASE WHEN o.membership AND l.op IN ('insert', 'update', 'enter') THEN c.new ->> 'role' END AS role,
       CASE WHEN o.bulk THEN o.size ELSE 1 END AS size, l.notified AND NOT o.bulk AS notified,
       (CASE WHEN o.bulk THEN o.board_xid ELSE o.xid END)::text::bigint AS last_xid, o.ends
FROM (
    SELECT *
    FROM (
        SELECT w.*, max(seq) OVER (PARTITION BY xid) AS ends
        FROM (
            SELECT u.seq, u.partition_number, u.xid, n.membership,
                   max(u.xid) OVER board AS board_xid,
                   count(*) OVER board AS size,
                   NOT n.single AND count(*) OVER board > %(threshold)s AS bulk,
                   u.seq = max(u.seq) OVER board AS newest
            FROM feed.changes_since(%(since_xmax)s::text::xid8, %(since_xip)s::text[]::xid8[],
                             %(until_xmax)s::text::xid8, %(until_xip)s::text[]::xid8[]) AS u
            CROSS JOIN LATERAL (SELECT u.relation IN ('feed.board_members', 'feed.flags') AS membership,
                                       u.relation IN ('feed.board_members', 'feed.flags') OR u.op IN ('truncate', 'reload') AS single) AS n
            WHERE %(boards)s::text[] IS NULL OR n.single OR u.board = ANY (%(boards)s::text[])
            WINDOW board AS (PARTITION BY u.board, n.single)
        ) AS w
        WHERE NOT bulk OR newest
    ) AS selected
    WHERE %(after_ends)s::bigint IS NULL OR (ends, seq) > (%(after_ends)s, %(after_seq)s::bigint)
    ORDER BY ends, seq
) AS o
-- OFFSET 0 forces an index lookup for each row, whatever the planner estimates.
CROSS JOIN LATERAL (SELECT f.* FROM feed.log AS f WHERE f.seq = o.seq AND f.partition_number = o.partition_number OFFSET 0) AS l
CROSS JOIN LATERAL (SELECT NOT o.membership AND l.op IN ('insert', 'enter', 'update')
                           AND coalesce(l.image_bytes > %(largest)s, false) AS large) AS m
-- The images as clients know them. OFFSET 0 forces that they are made once.
CROSS JOIN LATERAL (SELECT CASE WHEN l.relation = 'opportunities' AND NOT m.large AND (SELECT names FROM names) IS NOT NULL
                                THEN feed.card_image(l.old, (SELECT names FROM names)) ELSE l.old END AS old,
                           CASE WHEN l.relation = 'opportunities' AND NOT m.large AND (SELECT names FROM names) IS NOT NULL
                                THEN feed.card_image(l.new, (SELECT names FROM names)) ELSE l.new END AS new OFFSET 0) AS c
ORDER BY o.ends, o.seq
