-- Brings back what is missing outside of schema feed. A tool that makes a database equal to its own description of it drops what
-- it does not find there, and the application's migrations change the tables as they like. Everything is compared with the catalog
-- first, so a second call finds nothing to do, and takes no locks.
CREATE FUNCTION feed.mend() RETURNS SETOF text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    each record;
    lost text[] := '{}';
BEGIN
    UPDATE feed.adopted AS a SET relation = n.relation
    FROM (SELECT w.role, to_regclass(coalesce(w.name, 'public.' || w.role)) AS relation FROM feed.adopted AS w) AS n
    WHERE n.role = a.role AND n.relation IS NOT NULL AND NOT EXISTS (SELECT FROM pg_class AS c WHERE c.oid = a.relation);
    INSERT INTO feed.adopted (role, relation, created)
    SELECT 'users', feed.users_table(), false
    WHERE feed.users_table() IS NOT NULL AND EXISTS (SELECT FROM feed.adopted AS a WHERE a.role = 'opportunities')
    ON CONFLICT DO NOTHING;

    RETURN QUERY SELECT feed.note_columns();
    FOR each IN SELECT c.name, c.was_there FROM feed.mend_columns() AS c LOOP
        IF each.was_there THEN
            lost := lost || each.name;
        END IF;
        RETURN NEXT 'added column ' || each.name;
    END LOOP;
    RETURN QUERY SELECT feed.mend_boards();
    RETURN QUERY SELECT feed.mend_triggers();
    RETURN QUERY SELECT feed.mend_privileges();
    IF lost <> '{}' THEN
        RETURN NEXT feed.mend_rows(lost);
    END IF;
END
$$;
COMMENT ON FUNCTION feed.mend() IS
    'Brings back the columns, indexes, triggers and privileges on tables of the application that boardcast needs, and returns what it did. boardcast migrate calls it.';
