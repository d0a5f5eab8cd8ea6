-- All cards that a user can see, each as the JSON of its row.
SELECT coalesce('[' || string_agg(o.body::text, ',' ORDER BY o.id) || ']', '[]') AS opportunities
FROM feed.opportunities_on(ARRAY(SELECT m.board_id FROM feed.board_members AS m WHERE m.user_id = %(user)s::text)) AS o
