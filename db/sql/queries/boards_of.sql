-- The boards of some users; those of each user ordered by creation time, archived ones last.
SELECT m.user_id, b.id, b.name, m.role, b.archived_at IS NOT NULL AS archived
FROM feed.board_members AS m
JOIN feed.boards AS b ON b.id = m.board_id
WHERE m.user_id = ANY (%(users)s::text[])
ORDER BY archived, b.created_at, b.id
