-- Group roles, to be granted to login roles, and two roles that cannot log in and that own everything in schema feed
-- (see grants/ownership.sql). Roles belong to the cluster, so the migration of another database may have created them
-- already.
DO $$
DECLARE
    required text;
    excess text;
BEGIN
    FOREACH required IN ARRAY ARRAY['feed_app', 'feed_listener', 'feed_dba', 'feed_owner', 'feed_sandbox'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = required) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', required);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL; -- created concurrently by the migration of another database
            WHEN insufficient_privilege THEN
                RAISE EXCEPTION 'role % cannot create role %', current_user, required USING ERRCODE = 'insufficient_privilege',
                    HINT = format('As a superuser, run ALTER ROLE %I CREATEROLE; or create feed_app, feed_listener, feed_dba, feed_owner and feed_sandbox as NOLOGIN roles, and run GRANT feed_owner, feed_sandbox TO %1$I.', current_user);
            END;
        END IF;
    END LOOP;
    SELECT string_agg(DISTINCT r.rolname || ' ' || a.attribute, ', ') INTO excess
    FROM pg_roles AS r
    LEFT JOIN pg_auth_members AS m ON m.member = r.oid
    CROSS JOIN LATERAL (VALUES
        (CASE WHEN r.rolsuper THEN 'SUPERUSER' END), (CASE WHEN r.rolcanlogin THEN 'LOGIN' END),
        (CASE WHEN r.rolcreaterole THEN 'CREATEROLE' END), (CASE WHEN r.rolcreatedb THEN 'CREATEDB' END),
        (CASE WHEN r.rolreplication THEN 'REPLICATION' END), (CASE WHEN r.rolbypassrls THEN 'BYPASSRLS' END),
        ('is a member of ' || pg_get_userbyid(m.roleid))) AS a(attribute)
    WHERE r.rolname IN ('feed_owner', 'feed_sandbox') AND a.attribute IS NOT NULL;
    IF FOUND AND excess IS NOT NULL THEN
        RAISE EXCEPTION 'functions of the feed would run with more privileges than they need: %', excess
            USING ERRCODE = 'invalid_role_specification',
                  HINT = 'feed_owner and feed_sandbox must be NOLOGIN roles without attributes and memberships. Change them, or rename an existing role.';
    END IF;
END
$$;
