-- The table belongs to the application, which may rename, retype or drop any column. So the statements that read it are written
-- when they run, from the catalog, and a missing column is replaced by a constant. A row without version_number has the sequence
-- number of its newest change as its version. The JSON of a row has the names that clients know (see feed.card_image).
CREATE FUNCTION feed.opportunity_source(OUT target regclass, OUT key_column text, OUT board_column text, OUT complete boolean,
                                        OUT id_text text, OUT version_text text, OUT row_source text, OUT by_key text, OUT by_board text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    names jsonb := (SELECT n.names FROM feed.card_names() AS n);
    place_column text;
    key_type oid;
    board_type oid;
    place_type oid;
    has_version boolean;
    board_text text;
    image text;
BEGIN
    target := feed.opportunities_table();
    SELECT max(f.name) FILTER (WHERE f.field = 'id'), max(f.name) FILTER (WHERE f.field = 'board_id'), max(f.name) FILTER (WHERE f.field = 'position')
    INTO key_column, board_column, place_column FROM feed.field_columns() AS f;
    IF target IS NULL OR key_column IS NULL THEN
        target := NULL;
        RETURN;
    END IF;
    SELECT max(a.atttypid::bigint) FILTER (WHERE a.attname = key_column), max(a.atttypid::bigint) FILTER (WHERE a.attname = board_column),
           max(a.atttypid::bigint) FILTER (WHERE a.attname = place_column),
           coalesce(bool_or(a.attname = 'version_number' AND y.typcategory = 'N'), false)
    INTO key_type, board_type, place_type, has_version
    FROM pg_attribute AS a JOIN pg_type AS y ON y.oid = a.atttypid WHERE a.attrelid = target AND a.attnum > 0 AND NOT a.attisdropped;
    complete := (has_version AND names IS NULL AND key_column = 'id' AND board_column = 'board_id'
                 AND (SELECT bool_and(y.typcategory = 'S') FROM pg_type AS y WHERE y.oid IN (key_type, board_type))) IS TRUE;
    id_text := feed.json_text(format('o.%I', key_column), key_type);
    board_text := CASE WHEN board_column IS NULL THEN 'feed.default_board()' ELSE feed.json_text(format('o.%I', board_column), board_type) END;
    version_text := CASE WHEN has_version THEN 'least(o.version_number, 2147483647)::integer' ELSE format(
        'coalesce((SELECT (l.seq %% 2147483647)::integer FROM feed.log AS l WHERE l.relation = ''opportunities'' AND l.key = %s ORDER BY l.seq DESC LIMIT 1), 1)',
        id_text) END;
    image := CASE WHEN feed.converts_safely(target) THEN 'to_jsonb(o.*)' ELSE 'feed.row_json(o.*)' END;
    row_source := format('SELECT %s AS id, %s AS board_id, %s AS version_number, %s AS place, %s%s AS body FROM %s AS o',
        id_text, board_text, version_text, CASE WHEN place_column IS NULL THEN '''''' ELSE feed.plain_text(format('o.%I', place_column), place_type) END,
        CASE WHEN names IS NULL THEN image ELSE format('feed.card_image(%s, %L)', image, names) END,
        CASE WHEN complete THEN '' ELSE format(' || jsonb_build_object(''id'', %s, ''board_id'', %s, ''version_number'', %s)', id_text, board_text, version_text) END
            || format(' || coalesce(feed.card_details(%s), ''{}'')', id_text),
        target);
    by_key := feed.matches_any(format('o.%I', key_column), key_type, '$1');
    by_board := CASE WHEN board_column IS NULL THEN 'feed.default_board() = ANY ($1)' ELSE feed.matches_any(format('o.%I', board_column), board_type, '$1') END;
END
$$;
COMMENT ON FUNCTION feed.opportunity_source() IS
    'How the table of the opportunities is read now: its name, the columns of the key and the board, whether a row as JSON has its id, board and version as clients expect them, the expressions of id and version, the statement (o) that returns the rows, and its conditions for some keys or boards ($1, an array of text). target is null if the table or its key column is missing.';
