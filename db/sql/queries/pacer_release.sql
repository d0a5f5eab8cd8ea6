-- End the pulse and give the lease back, by any connection, and tell who may want it.
UPDATE feed.pacer
SET instance = '', pid = NULL, mode = 'calm', since = clock_timestamp(), until = clock_timestamp(), rung = rung + %(rung)s
WHERE instance = %(instance)s
RETURNING setval('feed.pulse', 0), pg_notify('boardcast_pacer', '')
