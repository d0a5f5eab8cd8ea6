-- What a deleted card has of its own when it comes back: the number after its newest version's, on whatever board that was.
SELECT max(l.version) + 1 AS version_number, clock_timestamp()::text AS last_sync_at
FROM feed.log AS l
WHERE l.relation = 'opportunities' AND l.key = %(id)s::text
