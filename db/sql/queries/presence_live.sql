-- Who is where.
SELECT o.board_id, p.opportunity_id, p.user_id, p.user_name, p.action, p.started_at, p.base_version
FROM user_presence AS p
JOIN opportunities AS o ON o.id = p.opportunity_id
ORDER BY p.started_at, p.id
