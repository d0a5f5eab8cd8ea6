-- Facts about the server that need no privilege except CONNECT (to_regclass would need USAGE on the schema). Values that
-- the role may not see are null.
SELECT current_setting('server_version_num')::int AS version, pg_is_in_recovery() AS standby,
       EXISTS (SELECT FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
               WHERE n.nspname = 'feed' AND c.relname IN ('log', 'identity', 'attached')) AS installed,
       EXISTS (SELECT FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
               WHERE n.nspname = 'feed' AND c.relname = 'alembic_version') AS versioned,
       current_user AS role, current_database() AS name,
       CASE WHEN pg_has_role('pg_read_all_settings', 'USAGE') THEN current_setting('data_directory') END AS directory,
       -- Location of the log, if it is in another tablespace.
       (SELECT nullif(pg_tablespace_location(coalesce(nullif(log.reltablespace, 0), d.dattablespace)), '')
        FROM pg_database AS d WHERE d.datname = current_database()) AS tablespace
FROM (SELECT) AS one
LEFT JOIN (SELECT c.oid, c.reltablespace FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
           WHERE n.nspname = 'feed' AND c.relname = 'log') AS log ON true
