-- One sweep: what can be seen now that could not be seen at the cursor, and the snapshot that says so, from one statement.
-- Transactions come by their last seq, then rows by seq, never by xid. A board with more than `threshold` rows in it is
-- told by one row, op resync; membership is always told in full, since who may see what hangs on it.
SELECT this.snapshot, r.*
FROM (SELECT pg_current_snapshot()::text AS snapshot) AS this
LEFT JOIN (
    SELECT seq, xid, at, relation,
           CASE WHEN bulk THEN 'resync' ELSE op END AS op, key, board, version, actor, origin,
           CASE WHEN bulk THEN NULL
                WHEN op = 'update' THEN feed.changes(old, new)::text
                WHEN op IN ('insert', 'enter') THEN new::text END AS body,
           CASE WHEN op = 'update' THEN old ->> 'phase' END AS from_phase,
           CASE WHEN op = 'update' THEN new ->> 'phase' END AS to_phase,
           CASE WHEN membership THEN coalesce(new, old) ->> 'user_id' END AS member,
           CASE WHEN membership AND op IN ('insert', 'update', 'enter') THEN new ->> 'role' END AS role,
           CASE WHEN bulk THEN size ELSE 1 END AS size, rang AND NOT bulk AS rang,
           last_xid, ends
    FROM (
        SELECT u.seq, n.xid, u.at, u.relation, u.op, u.key, u.board, u.version, u.actor, u.origin, u.old, u.new, u.rang, n.membership,
               max(n.xid) OVER () AS last_xid,
               max(u.seq) OVER (PARTITION BY u.xid) AS ends,
               count(*) OVER board AS size,
               NOT n.membership AND count(*) OVER board > %(threshold)s AS bulk,
               u.seq = max(u.seq) OVER board AS newest
        FROM feed.unseen(%(since_xmax)s::text::xid8, %(since_xip)s::text[]::xid8[],
                         %(until_xmax)s::text::xid8, %(until_xip)s::text[]::xid8[]) AS u
        CROSS JOIN LATERAL (SELECT u.xid::text::bigint AS xid, u.relation = 'board_members' AS membership) AS n
        WHERE %(boards)s::text[] IS NULL OR u.board = ANY (%(boards)s::text[]) OR u.op = 'truncate'
           OR (n.membership AND coalesce(u.new, u.old) ->> 'user_id' = %(member)s::text)
        WINDOW board AS (PARTITION BY u.board, n.membership)
    ) AS w
    WHERE (NOT bulk OR newest) AND (%(after_ends)s::bigint IS NULL OR (ends, seq) > (%(after_ends)s, %(after_seq)s::bigint))
) AS r ON true
ORDER BY r.ends, r.seq
LIMIT %(limit)s
