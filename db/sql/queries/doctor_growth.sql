-- By how many bytes a day the log grows: as many changes as in the last day, each of the size that they have. Null: nothing is known yet.
SELECT ((SELECT max(l.seq) + 1 - feed.seq_since(now() - interval '1 day') FROM feed.log AS l)
        * sum(r.bytes) / nullif(sum(r.changes), 0))::bigint AS bytes
FROM feed.retention AS r
