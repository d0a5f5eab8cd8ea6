-- Gives leases back: one opportunity's, or all (null), of some connections.
DELETE FROM user_presence
WHERE connection = ANY (%(connections)s::text[])
  AND (%(opportunity)s::text IS NULL OR opportunity_id = %(opportunity)s::text)
