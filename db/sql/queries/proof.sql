-- What a cursor is checked against: its anchor as it is in the log now, how far the log was pruned, and where it ends.
SELECT i.feed_id, i.floor_seq, i.floor_xid::text::bigint AS floor_xid,
       pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS next_xid,
       coalesce((SELECT max(seq) FROM feed.log), 0) AS last_seq,
       anchor.seq, anchor.xid::text::bigint AS xid, anchor.at
FROM feed.identity AS i
LEFT JOIN feed.log AS anchor ON anchor.seq = %(seq)s
