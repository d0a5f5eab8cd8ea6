-- The opportunities of a board by id and version, and the snapshot in which they are these; a row at least.
SELECT pg_current_snapshot()::text AS snapshot, o.id::text, o.version_number
FROM (SELECT) AS one LEFT JOIN opportunities AS o ON o.board_id = %(board)s
