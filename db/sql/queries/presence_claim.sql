-- Takes or renews leases on opportunities of the given boards (null: any), several at once; gives back those that were taken.
INSERT INTO user_presence (id, user_id, user_name, opportunity_id, action, connection, instance, base_version)
SELECT c.connection || ':' || c.opportunity_id, c.user_id, c.user_name, c.opportunity_id, c.action, c.connection,
       %(instance)s, c.base_version
FROM unnest(%(connections)s::text[], %(users)s::text[], %(names)s::text[], %(opportunities)s::text[], %(actions)s::text[],
            %(versions)s::int[]) AS c(connection, user_id, user_name, opportunity_id, action, base_version)
JOIN opportunities AS o ON o.id = c.opportunity_id
WHERE %(boards)s::text[] IS NULL OR o.board_id = ANY (%(boards)s::text[])
ON CONFLICT (id) DO UPDATE SET
    started_at = CASE WHEN user_presence.action = excluded.action THEN user_presence.started_at ELSE excluded.started_at END,
    action = excluded.action,
    base_version = excluded.base_version,
    last_activity = now()
RETURNING opportunity_id
