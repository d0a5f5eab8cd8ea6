-- Releases leases of some connections: on one opportunity, on one board, or all (both null).
DELETE FROM feed.user_presence
WHERE connection = ANY (%(connections)s::text[])
  AND (coalesce(%(opportunity)s::text, %(board)s::text) IS NULL
       OR opportunity_id = %(opportunity)s::text OR board_id = %(board)s::text)
