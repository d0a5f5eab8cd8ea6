-- IDs and versions of the opportunities on a board, and the snapshot in which they were read. Returns at least one row.
SELECT pg_current_snapshot()::text AS snapshot, o.id::text, o.version_number
FROM (SELECT) AS one LEFT JOIN opportunities AS o ON o.board_id = %(board)s
