-- An opportunity that a user may see, and their role on its board.
SELECT o.id, o.board_id, coalesce(o.body ->> 'phase', '') AS phase, o.version_number, m.role, b.phases, o.body::text, b.archived_at IS NOT NULL AS archived
FROM feed.opportunities_of(ARRAY[%(id)s::text]) AS o
JOIN feed.boards AS b ON b.id = o.board_id
JOIN feed.board_members AS m ON m.board_id = o.board_id AND m.user_id = %(user)s::text
