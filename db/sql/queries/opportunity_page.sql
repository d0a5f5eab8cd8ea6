SELECT o.id, o.body::text AS body
FROM feed.opportunities_page(ARRAY(SELECT m.board_id FROM feed.board_members AS m
                                   WHERE m.user_id = %(user)s::text AND m.board_id = coalesce(%(board)s::text, m.board_id)),
                             %(after)s::text, %(limit)s) AS o
