-- Keeps a new ticket, and takes away those that have ended: nobody else does.
WITH ended AS (DELETE FROM feed.tickets WHERE expires < now())
INSERT INTO feed.tickets (hash, user_id, name, roles, session_expires, expires)
VALUES (%(hash)s, %(user_id)s, %(name)s, %(roles)s, to_timestamp(%(session_expires)s), now() + %(ttl)s)
