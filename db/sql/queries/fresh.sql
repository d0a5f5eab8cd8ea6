-- What nearly every sweep needs: the few rows that are new, for all boards, as they are. Put in order and checked for bulk by the
-- caller, who asks again with unseen.sql where they are not few. A tenth quicker than that one for a single row.
SELECT this.snapshot, u.seq, u.xid::text::bigint AS xid, u.at, u.relation, u.op, u.key, u.board, u.version, u.actor, u.origin,
       CASE WHEN u.op = 'update' THEN feed.changes(u.old, u.new)::text
            WHEN u.op IN ('insert', 'enter') THEN u.new::text END AS body,
       CASE WHEN u.op = 'update' THEN u.old ->> 'phase' END AS from_phase,
       CASE WHEN u.op = 'update' THEN u.new ->> 'phase' END AS to_phase,
       CASE WHEN u.relation = 'board_members' THEN coalesce(u.new, u.old) ->> 'user_id' END AS member,
       CASE WHEN u.relation = 'board_members' AND u.op IN ('insert', 'update', 'enter') THEN u.new ->> 'role' END AS role,
       1 AS size, u.rang
FROM (SELECT pg_current_snapshot()::text AS snapshot) AS this
LEFT JOIN feed.unseen(%(xmax)s::text::xid8, %(xip)s::text[]::xid8[]) AS u ON true
LIMIT %(limit)s
