-- What in the server and the database stands in the way of a migration. Uses nothing of boardcast's, which may not be installed.
SELECT o.reason
FROM (
    SELECT 1 AS place, 'the server is a standby: set DATABASE_URL to the primary' AS reason WHERE pg_is_in_recovery()
    UNION ALL
    SELECT 2, format('PostgreSQL %%s is too old: boardcast needs 15 or newer', current_setting('server_version_num')::integer / 10000)
    WHERE current_setting('server_version_num')::integer < 150000
    UNION ALL
    SELECT 3, 'the database has a schema named feed that boardcast did not create: ALTER SCHEMA feed RENAME TO another name' WHERE %(foreign)s
    UNION ALL
    SELECT 4, format('role %%s may not create schema feed: GRANT CREATE ON DATABASE %%I TO %%1$I', current_user, current_database())
    WHERE NOT has_database_privilege(current_database(), 'CREATE') AND (%(foreign)s OR to_regnamespace('feed') IS NULL)
    UNION ALL
    SELECT 5, format('role %%s may not create tables in schema public: GRANT CREATE ON SCHEMA public TO %%1$I', current_user)
    WHERE %(creates)s AND NOT coalesce(has_schema_privilege(to_regnamespace('public'), 'CREATE'), false)
    UNION ALL
    SELECT 6, format('role %%s cannot create the roles %%s: as a superuser, run ALTER ROLE %%1$I CREATEROLE', current_user, string_agg(r.name, ', '))
    FROM unnest('{feed_app,feed_listener,feed_dba,feed_owner,feed_sandbox}'::text[]) AS r(name)
    WHERE to_regrole(r.name) IS NULL AND NOT (SELECT u.rolsuper OR u.rolcreaterole FROM pg_roles AS u WHERE u.rolname = current_user)
    HAVING count(*) > 0
) AS o
ORDER BY o.place
