-- Single use: if two clients redeem a ticket at once, the second waits for the first and finds no row.
DELETE FROM feed.tickets
WHERE hash = %(hash)s
RETURNING user_id, name, roles, extract(epoch FROM session_expires)::float8 AS session_expires,
          expires > now() AND session_expires > now() AS valid
