-- Gives leases back: one opportunity's or one board's, or all (both null), of some connections.
DELETE FROM user_presence
WHERE connection = ANY (%(connections)s::text[])
  AND (coalesce(%(opportunity)s::text, %(board)s::text) IS NULL
       OR opportunity_id = %(opportunity)s::text OR board_id = %(board)s::text)
