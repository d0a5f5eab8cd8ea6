-- All cards that a user can see, each as the JSON of its row.
SELECT coalesce('[' || string_agg(to_jsonb(o.*)::text, ',' ORDER BY o.id) || ']', '[]') AS opportunities
FROM opportunities AS o
WHERE o.board_id IN (SELECT m.board_id FROM board_members AS m WHERE m.user_id = %(user)s::text)
