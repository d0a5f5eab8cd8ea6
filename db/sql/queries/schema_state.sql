-- Checked on every (re)connect, before an instance serves clients.
SELECT pg_is_in_recovery() AS standby,
       to_regclass('feed.log') IS NOT NULL AS installed,
       current_setting('server_version_num')::int AS version
