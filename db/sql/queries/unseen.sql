-- One sweep: what can be seen now that could not be seen at the cursor, and the snapshot that says so, from one statement.
-- Transactions come by their last seq (of what is told), then rows by seq, never by xid. A board with more than `threshold` rows in
-- it is told by one row, op resync, with the board's newest xid in last_xid. Always told one by one (single): membership and flags,
-- since who may see what, and how, hangs on them; and what everybody is told, since that is of no board, as are rows that nobody is
-- told. Boards are counted first, and what is not told is not put in order. First the order, of rows without their images; then each
-- row that is told is fetched by itself: so what is sorted is small, nothing is read of what is not told, and the first row comes
-- before the last one's text is made.
SELECT (SELECT concat_ws(' ', i.feed_id, i.floor_xid, pg_current_snapshot()) FROM feed.identity AS i) AS place,
       o.seq, o.xid::text::bigint AS xid, l.at, l.relation,
       CASE WHEN o.bulk THEN 'resync' ELSE l.op END AS op, l.key, l.board, l.version, l.actor, l.origin, l.traceparent,
       CASE WHEN o.bulk THEN NULL
            -- feed.changes(), in place and by ->> where that suffices: nothing else of a row costs as much. A repair's images are of
            -- two times, and a column may have been of another type at the first, or not there.
            WHEN l.op = 'update' AND l.origin IS DISTINCT FROM 'repair' AND l.relation = ANY ((SELECT feed.plain_relations())::text[]) THEN
                (SELECT coalesce(jsonb_object_agg(f.key, l.new -> f.key), '{}')
                 FROM (SELECT jsonb_object_keys(l.new) AS key) AS f
                 WHERE l.new ->> f.key IS DISTINCT FROM l.old ->> f.key)::text
            WHEN l.op = 'update' THEN feed.changes(l.old, l.new)::text
            WHEN l.op IN ('insert', 'enter') THEN l.new::text END AS body,
       CASE WHEN l.op = 'update' THEN l.old ->> 'phase' END AS from_phase,
       CASE WHEN l.op = 'update' THEN l.new ->> 'phase' END AS to_phase,
       CASE WHEN o.membership THEN coalesce(l.new, l.old) ->> 'user_id' END AS member,
       CASE WHEN o.membership AND l.op IN ('insert', 'update', 'enter') THEN l.new ->> 'role' END AS role,
       CASE WHEN o.bulk THEN o.size ELSE 1 END AS size, l.rang AND NOT o.bulk AS rang,
       (CASE WHEN o.bulk THEN o.board_xid ELSE o.xid END)::text::bigint AS last_xid, o.ends
FROM (
    SELECT *
    FROM (
        SELECT w.*, max(seq) OVER (PARTITION BY xid) AS ends
        FROM (
            SELECT u.seq, u.era, u.xid, n.membership,
                   max(u.xid) OVER board AS board_xid,
                   count(*) OVER board AS size,
                   NOT n.single AND count(*) OVER board > %(threshold)s AS bulk,
                   u.seq = max(u.seq) OVER board AS newest
            FROM feed.unseen(%(since_xmax)s::text::xid8, %(since_xip)s::text[]::xid8[],
                             %(until_xmax)s::text::xid8, %(until_xip)s::text[]::xid8[]) AS u
            CROSS JOIN LATERAL (SELECT u.relation IN ('board_members', 'feed.flags') AS membership,
                                       u.relation IN ('board_members', 'feed.flags') OR u.op IN ('truncate', 'reload') AS single) AS n
            WHERE %(boards)s::text[] IS NULL OR n.single OR u.board = ANY (%(boards)s::text[])
            WINDOW board AS (PARTITION BY u.board, n.single)
        ) AS w
        WHERE NOT bulk OR newest
    ) AS told
    WHERE %(after_ends)s::bigint IS NULL OR (ends, seq) > (%(after_ends)s, %(after_seq)s::bigint)
    ORDER BY ends, seq
) AS o
-- OFFSET 0: one after the other, by the index, whatever the planner thinks of their number.
CROSS JOIN LATERAL (SELECT f.* FROM feed.log AS f WHERE f.seq = o.seq AND f.era = o.era OFFSET 0) AS l
ORDER BY o.ends, o.seq
