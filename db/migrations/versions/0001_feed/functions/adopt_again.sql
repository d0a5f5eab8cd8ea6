-- Clients hold cards that were read with the earlier columns, so they load their boards again. feed.mend_boards adds the stages that
-- these lack then.
CREATE FUNCTION feed.adopt_again(target regclass, before jsonb, board_column text) RETURNS SETOF text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    index_schema text := (SELECT n.nspname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = target);
    key_column text := before ->> 'id';
BEGIN
    IF board_column IS DISTINCT FROM before ->> 'board_id' AND board_column IS NOT NULL THEN
        PERFORM feed.lock_tables(feed.application_tables());
        EXECUTE format('DROP INDEX IF EXISTS %I.feed_opportunities_board_id', index_schema);
        PERFORM feed.attach(target, ARRAY[key_column]::text, board_column);
    ELSE
        PERFORM feed.log_reload('opportunities', 'attach');
    END IF;
    RETURN NEXT format('changed the columns of %s; clients load their boards again', target);
END
$$;
COMMENT ON FUNCTION feed.adopt_again(regclass, jsonb, text) IS
    'Applies other columns to a table that is the board already; before: those until now, by field. Used by feed.adopt.';
