-- The SECURITY DEFINER functions of the feed run with these privileges. feed_owner owns schema feed and everything in it,
-- and nothing elsewhere; none of its functions run application code. feed_sandbox owns only feed.row_image(),
-- feed.value_image() and feed.typed_image(), which do run application code, and has no privileges.
DO $$
DECLARE
    object record;
    options text := CASE WHEN current_setting('server_version_num')::integer >= 160000 THEN ' WITH INHERIT TRUE, SET TRUE' ELSE '' END;
    owner text;
BEGIN
    -- To change an owner, the current role must be able to act as the new one. A superuser always can.
    FOREACH owner IN ARRAY ARRAY['feed_owner', 'feed_sandbox'] LOOP
        IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AND NOT pg_has_role(owner, 'USAGE') THEN
            BEGIN
                EXECUTE format('GRANT %I TO CURRENT_USER%s', owner, options);
            EXCEPTION WHEN insufficient_privilege THEN
                RAISE EXCEPTION 'role % cannot make role % the owner of objects', current_user, owner USING ERRCODE = 'insufficient_privilege',
                    HINT = format('As a superuser, run GRANT feed_owner, feed_sandbox TO %I.', current_user);
            END;
        END IF;
    END LOOP;

    ALTER SCHEMA feed OWNER TO feed_owner;
    -- The new owner must be allowed to create the object, unless a superuser changes the owner.
    GRANT USAGE, CREATE ON SCHEMA feed TO feed_sandbox;
    FOR object IN
        SELECT c.oid::regclass AS name FROM pg_class AS c
        WHERE c.relnamespace = 'feed'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'S') AND c.relowner <> 'feed_owner'::regrole
        ORDER BY c.relispartition
    LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO feed_owner', object.name);
    END LOOP;
    FOR object IN
        SELECT p.oid::regprocedure AS name, CASE WHEN p.proname IN ('row_image', 'value_image', 'typed_image') THEN 'feed_sandbox' ELSE 'feed_owner' END AS owner
        FROM pg_proc AS p WHERE p.pronamespace = 'feed'::regnamespace
    LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO %I', object.name, object.owner);
    END LOOP;
    -- It needs no privilege on the schema: feed.capture() calls the function, and the function refers to nothing in the
    -- schema.
    REVOKE ALL ON SCHEMA feed FROM feed_sandbox;
END
$$;
GRANT EXECUTE ON FUNCTION feed.row_image(record), feed.value_image(anyelement), feed.typed_image(anyelement, jsonb) TO feed_owner, feed_app, feed_dba, feed_listener;
-- The view public.opportunity_versions reads the history with the privileges of the role that migrates.
GRANT SELECT ON feed.opportunity_versions TO CURRENT_USER;
