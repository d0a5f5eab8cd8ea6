-- Whose rights the SECURITY DEFINER functions of the feed have. feed_owner owns schema feed and all in it, and nothing elsewhere; none of its
-- functions runs code of an application. feed_sandbox owns feed.row_image() alone, which does, and has no right.
DO $$
DECLARE
    thing record;
    options text := CASE WHEN current_setting('server_version_num')::integer >= 160000 THEN ' WITH INHERIT TRUE, SET TRUE' ELSE '' END;
    owner text;
BEGIN
    -- Objects are given away to a role that one may act as. A superuser may already.
    FOREACH owner IN ARRAY ARRAY['feed_owner', 'feed_sandbox'] LOOP
        IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AND NOT pg_has_role(owner, 'USAGE') THEN
            BEGIN
                EXECUTE format('GRANT %I TO CURRENT_USER%s', owner, options);
            EXCEPTION WHEN insufficient_privilege THEN
                RAISE EXCEPTION 'role % may not give objects to role %', current_user, owner USING ERRCODE = 'insufficient_privilege',
                    HINT = format('As a superuser: GRANT feed_owner, feed_sandbox TO %I.', current_user);
            END;
        END IF;
    END LOOP;

    ALTER SCHEMA feed OWNER TO feed_owner;
    -- What a non-superuser gives away, the new owner must be able to make.
    GRANT USAGE, CREATE ON SCHEMA feed TO feed_sandbox;
    FOR thing IN
        SELECT c.oid::regclass AS name FROM pg_class AS c
        WHERE c.relnamespace = 'feed'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'S') AND c.relowner <> 'feed_owner'::regrole
        ORDER BY c.relispartition
    LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO feed_owner', thing.name);
    END LOOP;
    FOR thing IN
        SELECT p.oid::regprocedure AS name, CASE p.proname WHEN 'row_image' THEN 'feed_sandbox' ELSE 'feed_owner' END AS owner
        FROM pg_proc AS p WHERE p.pronamespace = 'feed'::regnamespace
    LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO %I', thing.name, thing.owner);
    END LOOP;
    -- It needs no right to the schema: capture calls the function, and that names nothing in it.
    REVOKE ALL ON SCHEMA feed FROM feed_sandbox;
END
$$;
GRANT EXECUTE ON FUNCTION feed.row_image(record) TO feed_owner;
-- opportunity_versions reads the log with the rights of whoever migrated.
GRANT SELECT ON feed.log TO CURRENT_USER;
