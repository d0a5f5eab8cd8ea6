-- Takes away what nobody renews: the lease of an instance that was killed, or of a client without a connection that went.
DELETE FROM user_presence
WHERE last_activity < now() - CASE instance WHEN 'http' THEN interval '30 s' ELSE interval '8 s' END
