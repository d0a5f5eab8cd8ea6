-- Take the lease if it is free, has run out, or is ours by a connection that was lost. Whatever pulse the last holder left ends here, but for
-- the silence of a bell that is switched off.
-- A lease longer than any holder takes it has run out too: the server's clock was set back.
UPDATE feed.pacer
SET instance = %(instance)s, pid = pg_backend_pid(), mode = 'calming', since = clock_timestamp(),
    until = clock_timestamp() + %(lease)s
WHERE instance IN ('', %(instance)s)
   OR until NOT BETWEEN clock_timestamp() AND clock_timestamp() + %(lease)s
RETURNING setval('feed.pulse', CASE WHEN silent THEN 9007199254740991 ELSE 0 END)
