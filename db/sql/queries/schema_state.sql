-- Checked on every (re)connect, before an instance serves clients. Tables are looked up in the catalogs, so that no privilege is
-- needed.
SELECT pg_is_in_recovery() AS standby,
       EXISTS (SELECT FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
               WHERE n.nspname = 'feed' AND c.relname IN ('log', 'identity', 'attached')) AS installed,
       EXISTS (SELECT FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
               WHERE n.nspname = 'feed' AND c.relname = 'alembic_version') AS versioned,
       current_setting('server_version_num')::int AS version
