-- End the pulse and give the lease back, by any connection, and tell who may want it.
UPDATE feed.pacer
SET instance = '', pid = NULL, mode = 'calm', since = clock_timestamp(), until = clock_timestamp(), rung = rung + %(rung)s
WHERE instance = %(instance)s
RETURNING setval('feed.pulse', CASE WHEN silent THEN 9007199254740991 ELSE 0 END), pg_notify('boardcast_pacer', '')
