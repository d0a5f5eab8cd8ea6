-- Takes the lease if it is free, has expired, or belongs to this instance through a lost connection. Ends the period in
-- which NOTIFY is suppressed, unless NOTIFY is switched off. A lease further ahead than any holder sets it counts as
-- expired, because the server's clock was set back.
UPDATE feed.pacer
SET instance = %(instance)s, pid = pg_backend_pid(), mode = 'draining', since = clock_timestamp(),
    until = clock_timestamp() + %(lease)s
WHERE instance IN ('', %(instance)s)
   OR until NOT BETWEEN clock_timestamp() AND clock_timestamp() + %(lease)s
RETURNING feed.suppress_notify(0)
