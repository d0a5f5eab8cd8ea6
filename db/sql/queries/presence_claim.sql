-- Takes or renews several leases, on opportunities or on boards, if the user is a member of the board, and may write to it if they
-- edit; only on the given boards (null: any). Returns those that were taken.
INSERT INTO feed.user_presence (id, user_id, user_name, opportunity_id, board_id, action, connection, instance, base_version)
SELECT c.connection || coalesce(':o:' || c.opportunity_id, ':b:' || c.board_id), c.user_id, c.user_name, c.opportunity_id, c.board_id,
       c.action, c.connection, %(instance)s, c.base_version
FROM unnest(%(connections)s::text[], %(users)s::text[], %(names)s::text[], %(opportunities)s::text[], %(looked_at)s::text[],
            %(actions)s::text[], %(versions)s::int[])
     AS c(connection, user_id, user_name, opportunity_id, board_id, action, base_version)
LEFT JOIN feed.opportunities_of(%(opportunities)s::text[]) AS o ON o.id = c.opportunity_id
JOIN feed.board_members AS m ON m.board_id = coalesce(c.board_id, o.board_id) AND m.user_id = c.user_id AND (c.action = 'viewing' OR m.role <> 'viewer')
WHERE %(boards)s::text[] IS NULL OR m.board_id = ANY (%(boards)s::text[])
ON CONFLICT (id) DO UPDATE SET
    started_at = CASE WHEN user_presence.action = excluded.action THEN user_presence.started_at ELSE excluded.started_at END,
    action = excluded.action,
    base_version = excluded.base_version,
    last_activity = now()
RETURNING opportunity_id, board_id
