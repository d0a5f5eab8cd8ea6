-- Group roles, to be granted to login roles. Roles belong to the cluster: another database may have made them already.
DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['feed_app', 'feed_listener', 'feed_dba'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL; -- made at the same time by the migration of another database
            END;
        END IF;
    END LOOP;
END
$$;
