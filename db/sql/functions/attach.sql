-- Puts the feed on a table. A table that is fed already is put on anew, with what is said now.
-- EXCEPT is a word of SQL, so a caller writes that name with quotes.
CREATE FUNCTION feed.attach(target regclass, key text DEFAULT NULL, board text DEFAULT NULL, "except" text[] DEFAULT '{}') RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    left_out text[] := ARRAY(SELECT DISTINCT c FROM unnest("except") AS c ORDER BY 1);
    key_columns text[];
    arguments text;
    key_changed text;
    key_set text;
    wrong text;
    fed feed.attached;
BEGIN
    PERFORM feed.check_table(target);
    IF key IS NULL THEN
        SELECT array_agg(a.attname ORDER BY k.place) INTO key_columns
        FROM pg_index AS i
        CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k(attnum, place)
        JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
        WHERE i.indrelid = target AND i.indisprimary AND k.place <= i.indnkeyatts;
        IF key_columns IS NULL THEN
            RAISE EXCEPTION 'table % has no primary key, so its rows cannot be told apart', target
                USING ERRCODE = 'invalid_table_definition', HINT = 'Add a primary key, or name a unique column with key => ''…''.';
        END IF;
    ELSIF EXISTS (SELECT FROM pg_attribute WHERE attrelid = target AND attname = key AND attnum > 0 AND NOT attisdropped) THEN
        key_columns := ARRAY[key];
    ELSIF key LIKE '{%}' THEN
        key_columns := key::text[]; -- for several columns with a comma or outer spaces in a name
    ELSE
        key_columns := ARRAY(SELECT btrim(part) FROM unnest(string_to_array(key, ',')) AS part);
    END IF;
    SELECT c.name INTO wrong FROM unnest(key_columns || board || left_out) AS c(name)
    WHERE c.name IS NOT NULL
      AND NOT EXISTS (SELECT FROM pg_attribute
                      WHERE attrelid = target AND attname = c.name AND attnum > 0 AND NOT attisdropped);
    IF FOUND THEN
        RAISE EXCEPTION 'table % has no column %', target, quote_ident(wrong) USING ERRCODE = 'undefined_column',
            HINT = 'Names are as they were made, without quotes: ' || (
                SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute
                WHERE attrelid = target AND attnum > 0 AND NOT attisdropped) || '.';
    END IF;
    PERFORM feed.check_key(target, key_columns);
    SELECT format_type(a.atttypid, NULL) INTO wrong FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
    WHERE a.attrelid = target AND a.attname = 'version_number' AND t.typcategory <> 'N';
    IF FOUND THEN
        RAISE EXCEPTION 'column version_number of table % is of type %: the log reads it as the version, a number', target, wrong
            USING ERRCODE = 'datatype_mismatch', HINT = 'Rename the column, or make it an integer.';
    END IF;
    -- A card of a board is fetched whole as well, and who may see what is read from the log.
    IF left_out <> '{}' AND target IN (to_regclass('public.opportunities'), to_regclass('public.boards'), to_regclass('public.board_members')) THEN
        RAISE EXCEPTION 'nothing can be left out of table %: boards are made of its rows in the log', target
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    -- A virtual column is made when it is read: a trigger sees a null there, which would be logged for its value.
    left_out := ARRAY(SELECT DISTINCT c.name FROM unnest(left_out || ARRAY(
        SELECT attname::text FROM pg_attribute WHERE attrelid = target AND attgenerated = 'v' AND NOT attisdropped)) AS c(name) ORDER BY 1);
    SELECT c INTO wrong FROM unnest(left_out) AS c
    WHERE c = ANY (key_columns || coalesce(board, '')::text || '{version_number,last_modified_by}'::text[]) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'column % of table % cannot be left out: the feed itself reads it', quote_ident(wrong), target
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Neither the key, the board, version_number nor last_modified_by can, and none of them can be a virtual column.';
    END IF;

    SELECT a.* INTO fed FROM feed.attached AS a WHERE a.relation = target;
    IF EXISTS (
        SELECT FROM feed.triggers AS t WHERE t.relation = target AND t.state <> 'missing' AND t.function <> 'version_opportunity') THEN
        PERFORM feed.detach(target);
    END IF;
    SELECT string_agg(quote_literal(a.value), ', ' ORDER BY a.place) INTO arguments
    FROM unnest(coalesce(board, '') || key_columns || CASE WHEN left_out <> '{}' THEN ''::text || left_out END) WITH ORDINALITY AS a(value, place);
    SELECT string_agg(format('OLD.%1$I IS DISTINCT FROM NEW.%1$I', c.name), ' OR '), string_agg(quote_ident(c.name), ', ')
    INTO key_changed, key_set
    FROM unnest(key_columns) AS c(name);

    -- Asked only where a statement sets the key: else each UPDATE pays for the question.
    EXECUTE format('CREATE TRIGGER feed_guard_key BEFORE UPDATE OF %s ON %s FOR EACH ROW WHEN (%s) '
                   'EXECUTE FUNCTION feed.guard_key()', key_set, target, key_changed);
    IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = target AND attname = 'last_modified_by' AND NOT attisdropped) THEN
        EXECUTE format('CREATE TRIGGER feed_name_author BEFORE UPDATE OF last_modified_by ON %s FOR EACH STATEMENT '
                       'EXECUTE FUNCTION feed.name_author()', target);
    END IF;
    EXECUTE format('CREATE TRIGGER feed_capture_insert AFTER INSERT ON %s REFERENCING NEW TABLE AS new_rows '
                   'FOR EACH STATEMENT EXECUTE FUNCTION feed.capture(%s)', target, arguments);
    EXECUTE format('CREATE TRIGGER feed_capture_update AFTER UPDATE ON %s REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows '
                   'FOR EACH STATEMENT EXECUTE FUNCTION feed.capture(%s)', target, arguments);
    EXECUTE format('CREATE TRIGGER feed_capture_delete AFTER DELETE ON %s REFERENCING OLD TABLE AS old_rows '
                   'FOR EACH STATEMENT EXECUTE FUNCTION feed.capture(%s)', target, arguments);
    EXECUTE format('CREATE TRIGGER feed_capture_truncate AFTER TRUNCATE ON %s '
                   'FOR EACH STATEMENT EXECUTE FUNCTION feed.capture(%s)', target, arguments);
    -- Attached anew it is fed since when it was: what was written in between is missing in the log. Else since the lock was had: until then
    -- others may have written, by transactions that came after this one, which may have begun long before.
    INSERT INTO feed.attached (relation, xid, at, who)
    VALUES (target, coalesce(fed.xid, greatest(pg_current_xact_id(), (pg_snapshot_xmax(pg_current_snapshot())::text::bigint - 1)::text::xid8)),
            coalesce(fed.at, clock_timestamp()), coalesce(fed.who, session_user));
END
$$;
COMMENT ON FUNCTION feed.attach(regclass, text, text, text[]) IS
    'Puts the feed on a table: feed.attach(''public.tasks'', key => ''id'', board => ''board_id'', "except" => ''{password_hash}''). The key is the primary key unless named (several columns: comma between, or an array: ''{a,"b,c"}''); without a board column nobody but LISTENers and the log are told; columns of "except", and virtual ones, are in no row of the log, and a change of them alone is none.';
