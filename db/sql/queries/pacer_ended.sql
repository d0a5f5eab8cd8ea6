-- Whether each transaction below a barrier has ended, prepared ones too.
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint >= %(barrier)s
