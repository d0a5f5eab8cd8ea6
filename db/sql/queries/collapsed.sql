-- The same as unseen.sql, collapsed to one event per row of a board: for a client that could not keep up, or one that polls.
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
           CASE WHEN bulk THEN board_size ELSE size END AS size, rang AND NOT bulk AS rang,
           last_xid, ends
    FROM (
        SELECT c.*, count(*) OVER board AS board_size,
               NOT membership AND count(*) OVER board > %(threshold)s AS bulk,
               seq = max(seq) OVER board AS newest
        FROM (
            SELECT e.seq, e.xid, e.at, e.relation, e.key, e.board, e.version, e.actor, e.origin, e.membership, e.last_xid, e.ends,
                   -- A row that came and then changed is, to its reader, a row that came.
                   CASE WHEN e.op = 'update' AND first_op IN ('insert', 'enter') THEN first_op ELSE e.op END AS op,
                   first_old AS old, e.new, size, e.rang
            FROM (
                SELECT o.*,
                       first_value(o.op) OVER same AS first_op,
                       first_value(o.old) OVER same AS first_old,
                       count(*) OVER (PARTITION BY o.relation, o.key, o.board) AS size,
                       row_number() OVER (PARTITION BY o.relation, o.key, o.board ORDER BY o.ends DESC, o.seq DESC) AS back
                FROM (
                    SELECT u.seq, n.xid, u.at, u.relation, u.op, u.key, u.board, u.version, u.actor, u.origin, u.old, u.new,
                           u.rang, n.membership, max(n.xid) OVER () AS last_xid, max(u.seq) OVER (PARTITION BY u.xid) AS ends
                    FROM feed.unseen(%(since_xmax)s::text::xid8, %(since_xip)s::text[]::xid8[],
                                     %(until_xmax)s::text::xid8, %(until_xip)s::text[]::xid8[]) AS u
                    CROSS JOIN LATERAL (SELECT u.xid::text::bigint AS xid, u.relation = 'board_members' AS membership) AS n
                    WHERE %(boards)s::text[] IS NULL OR u.board = ANY (%(boards)s::text[]) OR u.op = 'truncate'
                       OR (n.membership AND coalesce(u.new, u.old) ->> 'user_id' = %(member)s::text)
                ) AS o
                WINDOW same AS (PARTITION BY o.relation, o.key, o.board ORDER BY o.ends, o.seq)
            ) AS e
            WHERE back = 1
        ) AS c
        WINDOW board AS (PARTITION BY board, membership)
    ) AS w
    WHERE (NOT bulk OR newest) AND (%(after_ends)s::bigint IS NULL OR (ends, seq) > (%(after_ends)s, %(after_seq)s::bigint))
) AS r ON true
ORDER BY r.ends, r.seq
LIMIT %(limit)s
