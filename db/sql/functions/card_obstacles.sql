CREATE FUNCTION feed.card_obstacles(target regclass, columns jsonb) RETURNS SETOF text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    schema_name text := (SELECT n.nspname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = target);
    key_column text := feed.single_key(target);
    board_column text;
    wrong text;
BEGIN
    RETURN QUERY SELECT concat_ws(': ', o.reason, rtrim(o.hint, '.')) FROM feed.table_obstacles(target) AS o;
    IF EXISTS (SELECT FROM pg_class AS c WHERE c.oid = target AND c.relkind NOT IN ('r', 'p')) THEN
        RETURN;
    END IF;
    IF key_column IS NULL THEN
        RETURN NEXT format('table %s has no primary key of one column, so clients cannot name its rows: Add such a key, or leave the table out of boards: '
                           'boardcast migrate --feed-only, then boardcast attach', target);
    ELSE
        RETURN QUERY SELECT concat_ws(': ', o.reason, rtrim(o.hint, '.')) FROM feed.key_obstacles(target, ARRAY[key_column]) AS o;
    END IF;
    RETURN QUERY SELECT feed.field_obstacles(target, columns);
    RETURN QUERY
    SELECT format('there is an index %I.feed_opportunities_board_id on another table, and boardcast needs the name: ALTER INDEX %1$I.feed_opportunities_board_id RENAME TO another name', schema_name)
    FROM pg_class AS c LEFT JOIN pg_index AS i ON i.indexrelid = c.oid
    WHERE c.relname = 'feed_opportunities_board_id' AND c.relnamespace = to_regnamespace(quote_ident(schema_name)) AND i.indrelid IS DISTINCT FROM target;
    -- Rows are read last. A table of another owner may not be readable.
    IF NOT has_table_privilege(target, 'SELECT') THEN
        RETURN;
    END IF;
    IF key_column IS NOT NULL THEN
        EXECUTE format('SELECT min(k.id) FROM (SELECT %s AS id FROM %s AS o) AS k WHERE k.id IN ('''', ''.'', ''..'')',
                       feed.plain_text(format('o.%I', key_column), (SELECT a.atttypid FROM pg_attribute AS a WHERE a.attrelid = target AND a.attname = key_column)), target) INTO wrong;
        IF wrong IS NOT NULL THEN
            RETURN NEXT format('a row has the id ''%s'', which no URL can contain: Change the id of this row. Every other text is possible', wrong);
        END IF;
    END IF;
    board_column := (SELECT a.attname FROM pg_attribute AS a
                     WHERE a.attrelid = target AND a.attname = coalesce(columns ->> 'board_id', 'board_id') AND a.attnum > 0 AND NOT a.attisdropped);
    IF board_column IS NOT NULL THEN
        EXECUTE format('SELECT min(b.id) FROM (SELECT DISTINCT %s AS id FROM %s AS o) AS b '
                       'WHERE b.id LIKE ''%%,%%'' OR b.id IN (''.'', ''..'') OR char_length(b.id) NOT BETWEEN 1 AND 200',
                       feed.json_text(format('o.%I', board_column), (SELECT a.atttypid FROM pg_attribute AS a WHERE a.attrelid = target AND a.attname = board_column)), target) INTO wrong;
        IF wrong IS NOT NULL THEN
            RETURN NEXT format('column %s has the value ''%s'', and the ID of a board has 1 to 200 characters, no comma, and is not a dot', quote_ident(board_column), left(wrong, 60));
        END IF;
    END IF;
END
$$;
COMMENT ON FUNCTION feed.card_obstacles(regclass, jsonb) IS
    'Why the rows of a table cannot be the cards of boards, with these columns for the fields; no row if they can. Used by feed.adoption_obstacles.';
