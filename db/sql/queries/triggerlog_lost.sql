-- What is known about a sequence number that no row has.
SELECT i.floor_seq, coalesce((SELECT max(l.seq) FROM feed.log AS l), 0) AS last_seq FROM feed.identity AS i
