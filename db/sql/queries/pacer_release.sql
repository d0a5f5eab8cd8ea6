-- Ends the period in which NOTIFY is suppressed, gives the lease back (through any connection), and notifies the instances
-- that may want it.
UPDATE feed.pacer
SET instance = '', pid = NULL, mode = 'direct', since = clock_timestamp(), until = clock_timestamp(), notifications = notifications + %(notifications)s
WHERE instance = %(instance)s
RETURNING feed.suppress_notify(0), pg_notify('boardcast_pacer', '')
