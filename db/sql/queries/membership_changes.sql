-- Who was let onto a board, or off it, between two cursors: in the order in which it is replayed. A TRUNCATE has neither user nor board.
SELECT u.op, coalesce(u.new, u.old) ->> 'user_id' AS member, u.board, u.new ->> 'role' AS role, u.seq
FROM (
    SELECT l.*, max(l.seq) OVER (PARTITION BY l.xid) AS ends
    FROM feed.unseen(%(since_xmax)s::text::xid8, %(since_xip)s::text[]::xid8[],
                     %(until_xmax)s::text::xid8, %(until_xip)s::text[]::xid8[]) AS l
    WHERE l.relation = 'board_members'
) AS u
ORDER BY u.ends, u.seq
