-- Renews several leases that exist, and returns them. A lease that was released meanwhile stays released.
UPDATE feed.user_presence AS p
SET last_activity = now()
FROM unnest(%(connections)s::text[], %(opportunities)s::text[], %(boards)s::text[]) AS c(connection, opportunity_id, board_id)
WHERE p.id = c.connection || coalesce(':o:' || c.opportunity_id, ':b:' || c.board_id)
RETURNING p.connection, p.opportunity_id, p.board_id
