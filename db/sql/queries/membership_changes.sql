-- Who was added to boards or removed from them between two cursors, in replay order. A TRUNCATE has neither a user nor a
-- board.
SELECT u.op, coalesce(u.new, u.old) ->> 'user_id' AS member, u.board, u.new ->> 'role' AS role, u.seq
FROM (
    SELECT l.*, max(l.seq) OVER (PARTITION BY l.xid) AS ends
    FROM feed.changes_since(%(since_xmax)s::text::xid8, %(since_xip)s::text[]::xid8[],
                     %(until_xmax)s::text::xid8, %(until_xip)s::text[]::xid8[]) AS l
    WHERE l.relation = 'feed.board_members'
) AS u
ORDER BY u.ends, u.seq
