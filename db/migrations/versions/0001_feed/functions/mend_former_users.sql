-- A deletion from a table that is no longer the table of users must not remove memberships.
CREATE FUNCTION feed.mend_former_users() RETURNS SETOF text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    each record;
BEGIN
    FOR each IN
        SELECT t.tgname AS name, t.tgrelid::regclass AS relation FROM pg_trigger AS t
        WHERE t.tgfoid = 'feed.forget_users()'::regprocedure AND NOT t.tgisinternal AND t.tgparentid = 0 AND t.tgrelid <> feed.users_table()
        ORDER BY t.tgrelid::regclass::text, t.tgname
    LOOP
        BEGIN
            PERFORM feed.lock_tables(feed.application_tables());
            EXECUTE format('DROP TRIGGER %I ON %s', each.name, each.relation);
        EXCEPTION WHEN insufficient_privilege THEN
            RETURN NEXT format('could not drop trigger %s on %s: only the owner can', each.name, each.relation);
            CONTINUE;
        END;
        RETURN NEXT format('dropped trigger %s on %s', each.name, each.relation);
    END LOOP;
END
$$;
COMMENT ON FUNCTION feed.mend_former_users() IS
    'Drops the triggers on the previous table of users, after feed.adopt has named another one. Used by feed.mend.';
