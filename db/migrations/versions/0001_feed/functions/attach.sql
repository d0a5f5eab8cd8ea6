-- Attaches a table to the feed. A table that is already attached is attached again with the new arguments.
CREATE FUNCTION feed.attach(target regclass, key text DEFAULT NULL, board text DEFAULT NULL, exclude text[] DEFAULT '{}') RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    excluded text[] := ARRAY(SELECT DISTINCT c FROM unnest(exclude) AS c ORDER BY 1);
    key_columns text[];
    arguments text;
    key_changed text;
    key_set text;
    wrong text;
    earlier feed.attached;
BEGIN
    PERFORM feed.check_table(target);
    IF key IS NULL THEN
        SELECT array_agg(a.attname ORDER BY k.place) INTO key_columns
        FROM pg_index AS i
        CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k(attnum, place)
        JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
        WHERE i.indrelid = target AND i.indisprimary AND k.place <= i.indnkeyatts;
        IF key_columns IS NULL THEN
            RAISE EXCEPTION 'table % has no primary key, so its rows cannot be identified', target
                USING ERRCODE = 'invalid_table_definition', HINT = 'Add a primary key, or name a unique column with key => ''...''.';
        END IF;
    ELSIF EXISTS (SELECT FROM pg_attribute WHERE attrelid = target AND attname = key AND attnum > 0 AND NOT attisdropped) THEN
        key_columns := ARRAY[key];
    ELSIF key LIKE '{%}' THEN
        key_columns := key::text[]; -- for several columns with a comma or outer spaces in a name
    ELSE
        key_columns := ARRAY(SELECT btrim(part) FROM unnest(string_to_array(key, ',')) AS part);
    END IF;
    SELECT c.name INTO wrong FROM unnest(key_columns || board || excluded) AS c(name)
    WHERE c.name IS NOT NULL
      AND NOT EXISTS (SELECT FROM pg_attribute
                      WHERE attrelid = target AND attname = c.name AND attnum > 0 AND NOT attisdropped);
    IF FOUND THEN
        RAISE EXCEPTION 'table % has no column %', target, quote_ident(wrong) USING ERRCODE = 'undefined_column',
            HINT = 'Write names exactly as created, without quotes. The columns are: ' || (
                SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute
                WHERE attrelid = target AND attnum > 0 AND NOT attisdropped) || '.';
    END IF;
    PERFORM feed.check_key(target, key_columns);
    SELECT format_type(a.atttypid, NULL) INTO wrong FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
    WHERE a.attrelid = target AND a.attname = 'version_number' AND t.typcategory <> 'N';
    IF FOUND THEN
        RAISE EXCEPTION 'column version_number of table % is of type %, but the log needs a number', target, wrong
            USING ERRCODE = 'datatype_mismatch', HINT = 'Rename the column, or change its type to integer.';
    END IF;
    -- Boards are read from the table as well as from the log, and memberships are taken from the log, so both must be
    -- complete.
    IF excluded <> '{}' AND target IN (to_regclass('public.opportunities'), to_regclass('public.boards'), to_regclass('public.board_members')) THEN
        RAISE EXCEPTION 'columns of table % cannot be excluded: boards are built from its rows in the log', target
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Call feed.attach without exclude.';
    END IF;
    -- A virtual column is computed when it is read. A trigger sees null, which would be logged as its value.
    excluded := ARRAY(SELECT DISTINCT c.name FROM unnest(excluded || ARRAY(
        SELECT attname::text FROM pg_attribute WHERE attrelid = target AND attgenerated = 'v' AND NOT attisdropped)) AS c(name) ORDER BY 1);
    SELECT c INTO wrong FROM unnest(excluded) AS c
    WHERE c = ANY (key_columns || coalesce(board, '')::text || '{version_number,last_modified_by}'::text[]) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'column % of table % cannot be excluded: the feed itself needs it', quote_ident(wrong), target
            USING ERRCODE = 'invalid_parameter_value', HINT = 'The key, the board, version_number and last_modified_by must be logged, so they can be neither excluded nor virtual columns.';
    END IF;

    SELECT a.* INTO earlier FROM feed.attached AS a WHERE a.relation = target;
    IF EXISTS (
        SELECT FROM feed.triggers AS t WHERE t.relation = target AND t.state <> 'missing' AND t.function <> 'version_opportunity') THEN
        PERFORM feed.detach(target);
    END IF;
    SELECT string_agg(quote_literal(a.value), ', ' ORDER BY a.place) INTO arguments
    FROM unnest(coalesce(board, '') || key_columns || CASE WHEN excluded <> '{}' THEN ''::text || excluded END) WITH ORDINALITY AS a(value, place);
    SELECT string_agg(format('OLD.%1$I IS DISTINCT FROM NEW.%1$I', c.name), ' OR '), string_agg(quote_ident(c.name), ', ')
    INTO key_changed, key_set
    FROM unnest(key_columns) AS c(name);

    -- Limited to statements that set the key, so that other UPDATEs do not evaluate the condition.
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
    -- If the table was attached before, the original attachment counts: what was written in between is missing from the
    -- log, and verify should find it. Otherwise it counts from when the lock was acquired: until then other transactions
    -- may have written, even ones with a later ID than this one, which may have started long before.
    INSERT INTO feed.attached (relation, xid, attached_at, attached_by)
    VALUES (target, coalesce(earlier.xid, greatest(pg_current_xact_id(), (pg_snapshot_xmax(pg_current_snapshot())::text::bigint - 1)::text::xid8)),
            coalesce(earlier.attached_at, clock_timestamp()), coalesce(earlier.attached_by, session_user));
END
$$;
COMMENT ON FUNCTION feed.attach(regclass, text, text, text[]) IS
    'Attaches a table to the feed: feed.attach(''public.tasks'', key => ''id'', board => ''board_id'', exclude => ''{password_hash}''). key defaults to the primary key; separate several columns with commas, or pass an array such as ''{a,"b,c"}''. Without a board column, changes reach only LISTEN and the log. Excluded and virtual columns are not logged, and a change to these alone is not logged either.';
