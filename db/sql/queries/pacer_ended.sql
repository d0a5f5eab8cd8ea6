-- Whether all transactions below a barrier have ended, including prepared ones.
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint >= %(barrier)s
