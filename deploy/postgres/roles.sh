#!/bin/sh
# The roles of compose.yaml's services: run when the database is created, and harmless later. For a volume from before these roles, run
# docker compose exec postgres sh /docker-entrypoint-initdb.d/roles.sh
#
# boardcast_migrate owns the database, and may act as the roles that own schema feed. boardcast_api and boardcast_feed have the
# privileges of docs/operations.md. None of them is a superuser.
set -eu
: "${MIGRATE_PASSWORD:?}" "${API_PASSWORD:?}" "${FEED_PASSWORD:?}"
psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" <<'SQL'
\getenv migrate_password MIGRATE_PASSWORD
\getenv api_password API_PASSWORD
\getenv feed_password FEED_PASSWORD
SELECT format('CREATE ROLE %I NOLOGIN', r.name)
FROM unnest('{feed_app,feed_listener,feed_dba,feed_owner,feed_sandbox,boardcast_migrate,boardcast_api,boardcast_feed}'::text[]) AS r(name)
WHERE to_regrole(r.name) IS NULL \gexec
ALTER ROLE boardcast_migrate LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'migrate_password';
ALTER ROLE boardcast_api LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'api_password';
ALTER ROLE boardcast_feed LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'feed_password';
GRANT feed_owner, feed_sandbox TO boardcast_migrate;
GRANT feed_app TO boardcast_api;
GRANT feed_listener TO boardcast_feed;
GRANT pg_read_all_stats TO feed_dba;
SELECT format('ALTER DATABASE %I OWNER TO boardcast_migrate', current_database()) \gexec
SELECT format('REVOKE CONNECT ON DATABASE %I FROM PUBLIC', current_database()) \gexec
SELECT format('GRANT CONNECT ON DATABASE %I TO boardcast_api, boardcast_feed, feed_dba', current_database()) \gexec
SQL
