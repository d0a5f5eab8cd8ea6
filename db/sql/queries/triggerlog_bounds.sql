-- Times converted to sequence numbers; null if no time is given.
SELECT CASE WHEN %(since)s::timestamptz IS NOT NULL THEN feed.seq_since(%(since)s) END AS low,
       CASE WHEN %(until)s::timestamptz IS NOT NULL THEN feed.seq_since(%(until)s) END AS high
