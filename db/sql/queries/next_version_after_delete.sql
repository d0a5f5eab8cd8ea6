-- Values for restoring a deleted card: the next version after its newest one, on any board, and the current time.
SELECT max(l.version) + 1 AS version_number, clock_timestamp()::text AS last_sync_at
FROM feed.log AS l
WHERE l.relation = 'opportunities' AND l.key = %(id)s::text
