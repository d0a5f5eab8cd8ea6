-- IDs and versions of the opportunities on a board, and the snapshot in which they were read. Returns at least one row.
SELECT pg_current_snapshot()::text AS snapshot, o.id, o.version_number
FROM (SELECT) AS one LEFT JOIN feed.versions_on(%(board)s) AS o ON true
