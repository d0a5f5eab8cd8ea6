-- What kind of server answers, with no right but to connect: to_regclass would want one to the schema. What only some may know is null for
-- the others.
SELECT current_setting('server_version_num')::int AS version, pg_is_in_recovery() AS standby, log.oid IS NOT NULL AS installed,
       current_user AS role, current_database() AS name,
       CASE WHEN pg_has_role('pg_read_all_settings', 'USAGE') THEN current_setting('data_directory') END AS directory,
       -- Where the log is, if not there.
       (SELECT nullif(pg_tablespace_location(coalesce(nullif(log.reltablespace, 0), d.dattablespace)), '')
        FROM pg_database AS d WHERE d.datname = current_database()) AS tablespace
FROM (SELECT) AS one
LEFT JOIN (SELECT c.oid, c.reltablespace FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
           WHERE n.nspname = 'feed' AND c.relname = 'log') AS log ON true
