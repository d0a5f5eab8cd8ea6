-- Growth of the log in bytes per day: the number of changes in the last day times their average size. Null: not known yet.
SELECT ((SELECT max(l.seq) + 1 - feed.seq_since(now() - interval '1 day') FROM feed.log AS l)
        * sum(r.bytes) / nullif(sum(r.changes), 0))::bigint AS bytes
FROM feed.retention AS r
