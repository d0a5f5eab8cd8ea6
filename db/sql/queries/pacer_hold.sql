-- Renew the lease, and with it the pulse: `ahead` milliseconds from now, or over at once when it is 0. The pulse is set under the row's
-- lock and by its holder alone, so that one who has lost the lease, or a connection that we have given up, cannot set it any more.
UPDATE feed.pacer
SET mode = CASE WHEN silent THEN 'silent' ELSE %(mode)s END, rung = rung + %(rung)s, until = clock_timestamp() + %(lease)s,
    since = CASE WHEN mode = CASE WHEN silent THEN 'silent' ELSE %(mode)s END THEN since ELSE clock_timestamp() END
WHERE instance = %(instance)s AND pid = pg_backend_pid()
RETURNING silent, setval('feed.pulse', CASE WHEN silent THEN 9007199254740991 WHEN %(ahead)s = 0 THEN 0
                                       ELSE (date_part('epoch', clock_timestamp()) * 1000)::bigint + %(ahead)s END)
