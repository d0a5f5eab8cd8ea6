-- Stores a new ticket and removes expired ones, which nothing else does.
WITH ended AS (DELETE FROM feed.tickets WHERE expires < now())
INSERT INTO feed.tickets (hash, user_id, name, roles, session_expires, expires)
VALUES (%(hash)s, %(user_id)s, %(name)s, %(roles)s, to_timestamp(%(session_expires)s), now() + %(ttl)s)
