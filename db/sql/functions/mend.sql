-- Brings back what is missing outside of schema feed. A tool that makes a database equal to its own description of it drops what
-- it does not find there, and the application's migrations change the tables as they like. Everything is compared with the catalog
-- first, so a second call finds nothing to do, and takes no locks. boardcast migrate does the same in several transactions, so that
-- writers do not wait for the rows and the index.
CREATE FUNCTION feed.mend() RETURNS SETOF text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    command text;
BEGIN
    RETURN QUERY SELECT feed.mend_structure();
    WHILE EXISTS (SELECT FROM feed.adopted AS a WHERE a.restoring IS NOT NULL) LOOP
        RETURN QUERY SELECT feed.mend_rows(10000);
    END LOOP;
    FOR command IN SELECT feed.board_index() LOOP
        EXECUTE replace(command, ' CONCURRENTLY', '');
    END LOOP;
END
$$;
COMMENT ON FUNCTION feed.mend() IS
    'Restores the columns, indexes, triggers and privileges that boardcast needs on tables of the application, and returns what it did. boardcast migrate does this without making writers wait.';
