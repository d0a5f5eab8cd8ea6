-- Who is where, on some boards or (null) on any.
SELECT o.board_id, p.opportunity_id, p.user_id, p.user_name, p.action, p.started_at, p.base_version
FROM user_presence AS p
JOIN opportunities AS o ON o.id = p.opportunity_id
WHERE %(boards)s::text[] IS NULL OR o.board_id = ANY (%(boards)s::text[])
ORDER BY p.started_at, p.id
