-- Renews the lease and sets feed.notify_suppressed_until to `ahead` milliseconds from now, or ends the period at once if
-- `ahead` is 0. This happens under the row lock and only for the holder, so an instance that lost the lease, or a
-- connection that was given up, can no longer set it.
UPDATE feed.pacer
SET mode = CASE WHEN muted THEN 'muted' ELSE %(mode)s END, notifications = notifications + %(notifications)s, until = clock_timestamp() + %(lease)s,
    since = CASE WHEN mode = CASE WHEN muted THEN 'muted' ELSE %(mode)s END THEN since ELSE clock_timestamp() END
WHERE instance = %(instance)s AND pid = pg_backend_pid()
RETURNING feed.suppress_notify(%(ahead)s)
