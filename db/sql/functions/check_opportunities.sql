CREATE FUNCTION feed.check_opportunities(target regclass) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    wrong text;
BEGIN
    PERFORM feed.check_table(target);
    IF feed.single_key(target) IS NULL THEN
        RAISE EXCEPTION 'table % has no primary key of one column, so clients cannot name its rows', target
            USING ERRCODE = 'invalid_table_definition',
                  HINT = 'Add such a key, or leave the table out of boards: boardcast migrate --feed-only, then boardcast attach.';
    END IF;
    PERFORM feed.check_key(target, ARRAY[feed.single_key(target)]);
    EXECUTE format('SELECT min(o.%1$I::text) FROM %2$s AS o WHERE o.%1$I::text IN ('''', ''.'', ''..'')', feed.single_key(target), target) INTO wrong;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'table % cannot be adopted: a row has the id ''%'', which no URL can contain', target, wrong
            USING ERRCODE = 'check_violation', HINT = 'Change the id of this row. Every other text is possible.';
    END IF;
END
$$;
COMMENT ON FUNCTION feed.check_opportunities(regclass) IS
    'Raises an error if the rows of a table cannot be the cards of boards. Used by the migration.';
