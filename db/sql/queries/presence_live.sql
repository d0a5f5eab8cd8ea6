-- Who is present, on some boards or (null) on any. Users who are no longer members of the board are not included.
SELECT m.board_id, p.opportunity_id, p.user_id, p.user_name, p.action, p.started_at, p.base_version
FROM feed.user_presence AS p
LEFT JOIN feed.opportunities_of(ARRAY(SELECT DISTINCT e.opportunity_id FROM feed.user_presence AS e)) AS o ON o.id = p.opportunity_id
JOIN feed.board_members AS m ON m.board_id = coalesce(p.board_id, o.board_id) AND m.user_id = p.user_id
WHERE %(boards)s::text[] IS NULL OR m.board_id = ANY (%(boards)s::text[])
ORDER BY p.started_at, p.id
