-- The oldest transaction that wrote at or after a time, or later than any if none did: all that came since is at or above it.
SELECT coalesce((SELECT min(l.xid::text::bigint) FROM feed.log AS l WHERE l.at >= %(at)s::timestamptz),
                pg_snapshot_xmin(pg_current_snapshot())::text::bigint) AS xid,
       i.floor_seq > 0 AND NOT EXISTS (SELECT FROM feed.log AS l WHERE l.at < %(at)s::timestamptz) AS pruned
FROM feed.identity AS i
