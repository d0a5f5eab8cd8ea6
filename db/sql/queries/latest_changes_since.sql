-- Like changes_since.sql, but with one event per row of a board. For a client that could not keep up.
WITH names AS MATERIALIZED (
    SELECT n.names FROM feed.card_names() AS n
)
SELECT (SELECT concat_ws(' ', i.feed_id, i.floor_xid, pg_current_snapshot()) FROM feed.identity AS i) AS place,
       o.seq, o.xid, l.at, l.relation,
       CASE WHEN o.bulk THEN 'resync' WHEN m.large THEN 'large' ELSE o.op END AS op, l.key, l.board, l.version, left(l.actor, 200) AS actor, left(l.origin, 200) AS origin, feed.valid_traceparent(l.traceparent) AS traceparent,
       CASE WHEN o.bulk OR m.large THEN NULL
            WHEN o.op = 'update' THEN feed.changes(c.before, c.after)::text
            WHEN o.op IN ('insert', 'enter') AND l.relation = 'opportunities' THEN feed.opportunity_image(c.after, l.key, l.board, l.seq)::text
            WHEN o.op IN ('insert', 'enter') THEN c.after::text END AS body,
       CASE WHEN o.op = 'update' AND NOT m.large THEN c.before ->> 'phase' END AS from_phase,
       CASE WHEN o.op = 'update' AND NOT m.large THEN c.after ->> 'phase' END AS to_phase,
       CASE WHEN o.membership THEN coalesce(l.new, l.old) ->> 'user_id' END AS member,
       CASE WHEN o.membership AND o.op IN ('insert', 'update', 'enter') THEN l.new ->> 'role' END AS role,
       CASE WHEN o.bulk THEN o.board_size ELSE o.size END AS size, l.notified AND NOT o.bulk AS notified,
       CASE WHEN o.bulk THEN o.board_xid ELSE o.row_xid END AS last_xid, o.ends
FROM (
    SELECT *
    FROM (
        SELECT s.*,
               max(row_xid) OVER board AS board_xid,
               count(*) OVER board AS board_size,
               NOT single AND count(*) OVER board > %(threshold)s AS bulk,
               seq = max(seq) OVER board AS newest
        FROM (
            SELECT seq, partition_number, xid, membership, single, board, ends,
                   -- A row that was inserted and then updated is an insert to the client.
                   CASE WHEN op = 'update' AND first_value(op) OVER same IN ('insert', 'enter') THEN first_value(op) OVER same
                        ELSE op END AS op,
                   first_value(seq) OVER same AS first_seq,
                   first_value(partition_number) OVER same AS first_partition,
                   max(xid) OVER same AS row_xid,
                   row_number() OVER same AS size,
                   max(image_bytes) OVER same AS image_bytes,
                   lead(seq) OVER same IS NULL AS final
            FROM (
                SELECT u.seq, u.partition_number, n.xid, u.relation, u.key, u.board, u.op, u.image_bytes, n.membership, n.single,
                       max(u.seq) OVER (PARTITION BY u.xid) AS ends
                FROM feed.changes_since(%(since_xmax)s::text::xid8, %(since_xip)s::text[]::xid8[],
                                 %(until_xmax)s::text::xid8, %(until_xip)s::text[]::xid8[]) AS u
                CROSS JOIN LATERAL (SELECT u.xid::text::bigint AS xid, u.relation IN ('feed.board_members', 'feed.flags') AS membership,
                                           u.relation IN ('feed.board_members', 'feed.flags') OR u.op IN ('truncate', 'reload') AS single) AS n
                WHERE %(boards)s::text[] IS NULL OR n.single OR u.board = ANY (%(boards)s::text[])
            ) AS r
            -- Every membership change is kept, because what the user sees depends on the order of all of them.
            WINDOW same AS (PARTITION BY relation, key, board, CASE WHEN membership THEN seq END ORDER BY ends, seq)
        ) AS s
        WHERE final
        WINDOW board AS (PARTITION BY board, single)
    ) AS w
    WHERE (NOT bulk OR newest) AND (%(after_ends)s::bigint IS NULL OR (ends, seq) > (%(after_ends)s, %(after_seq)s::bigint))
    ORDER BY ends, seq
) AS o
CROSS JOIN LATERAL (SELECT f.* FROM feed.log AS f WHERE f.seq = o.seq AND f.partition_number = o.partition_number OFFSET 0) AS l
CROSS JOIN LATERAL (SELECT f.* FROM feed.log AS f WHERE f.seq = o.first_seq AND f.partition_number = o.first_partition OFFSET 0) AS e
CROSS JOIN LATERAL (SELECT feed.image_before(e.relation, e.key, e.seq, e.op, e.old, e.new, e.delta) AS before,
                           feed.image_after(l.relation, l.key, l.seq, l.op, l.old, l.new, l.delta) AS after) AS w
CROSS JOIN LATERAL (SELECT NOT o.membership AND o.op IN ('insert', 'enter', 'update')
                           AND coalesce(o.image_bytes > %(largest)s, false) AS large) AS m
-- As clients know them; see feed.card_image.
CROSS JOIN LATERAL (SELECT CASE WHEN l.relation = 'opportunities' AND NOT m.large AND (SELECT names FROM names) IS NOT NULL
                                THEN feed.card_image(w.before, (SELECT names FROM names)) ELSE w.before END AS before,
                           CASE WHEN l.relation = 'opportunities' AND NOT m.large AND (SELECT names FROM names) IS NOT NULL
                                THEN feed.card_image(w.after, (SELECT names FROM names)) ELSE w.after END AS after) AS c
ORDER BY o.ends, o.seq
