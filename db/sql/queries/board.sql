-- A board as one of its members sees it. Each card is the JSON of its row, as in the log.
SELECT jsonb_build_object('id', b.id, 'name', b.name, 'phases', b.phases)::text AS board,
       m.role,
       (SELECT jsonb_agg(jsonb_build_object('userId', o.user_id, 'name', coalesce(u.name, u.id), 'role', o.role)
                         ORDER BY o.user_id)
        FROM board_members AS o JOIN users AS u ON u.id = o.user_id
        WHERE o.board_id = b.id)::text AS members,
       coalesce((SELECT '[' || string_agg(to_jsonb(c)::text, ',' ORDER BY c.position COLLATE "C", c.id) || ']'
                 FROM opportunities AS c
                 WHERE c.board_id = b.id), '[]') AS opportunities
FROM boards AS b
JOIN board_members AS m ON m.board_id = b.id AND m.user_id = %(user)s::text
WHERE b.id = %(board)s::text
