-- Attaches a table to the feed. A table that is already attached is attached again with the new arguments.
CREATE FUNCTION feed.attach(target regclass, key text DEFAULT NULL, board text DEFAULT NULL, exclude text[] DEFAULT '{}') RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    excluded text[] := ARRAY(SELECT DISTINCT c FROM unnest(exclude) AS c ORDER BY 1);
    key_columns text[];
    arguments text;
    wrong text;
    earlier feed.attached;
    cards regclass;
    numbers jsonb; -- of the columns
    same_rows boolean;
    schema_name text;
    table_name text;
    replaced regclass;
    since bigint := 0;
    anew boolean := false;
    is_empty boolean;
    newest text;
    has_triggers boolean := EXISTS (
        SELECT FROM pg_trigger AS t
        WHERE t.tgrelid = target AND NOT t.tgisinternal AND t.tgname LIKE 'feed\_%' AND t.tgname NOT LIKE 'feed\_forget\_%');
BEGIN
    PERFORM feed.refuse(o.reason, o.hint, o.code) FROM feed.table_obstacles(target) AS o;
    cards := feed.opportunities_table();
    SELECT n.nspname, c.relname INTO schema_name, table_name
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = target;
    IF target <> cards AND (schema_name, table_name) = ('public', 'opportunities') THEN
        RAISE EXCEPTION 'table % cannot be attached: table % is logged under the name opportunities', target, cards
            USING ERRCODE = 'duplicate_table', HINT = 'Rename the table, and attach it then.';
    END IF;
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
    PERFORM feed.refuse(o.reason, o.hint, o.code) FROM feed.key_obstacles(target, key_columns) AS o;
    -- Boards are read from the table as well as from the log, and memberships are taken from the log, so both must be
    -- complete.
    IF excluded <> '{}' AND target IN (cards, to_regclass('feed.boards'), to_regclass('feed.board_members'), to_regclass('feed.opportunity_details')) THEN
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

    SELECT jsonb_object_agg(a.attname, a.attnum) INTO numbers FROM pg_attribute AS a
    WHERE a.attrelid = target AND a.attname = ANY (key_columns || board || excluded) AND NOT a.attisdropped;
    SELECT a.* INTO earlier FROM feed.attached AS a WHERE a.relation = target;
    IF (earlier.schema_name, earlier.table_name, earlier.key, coalesce(earlier.board, ''), earlier.excluded, earlier.columns, earlier.numbered)
       = (schema_name, table_name, key_columns, coalesce(board, ''), excluded, numbers, target::oid)
       AND NOT EXISTS (SELECT FROM feed.attached_tables AS t WHERE t.relation = target AND t.state <> 'on')
       AND NOT EXISTS (SELECT FROM feed.triggers AS t WHERE t.relation = target AND t.state NOT IN ('on', 'always')
                                                        AND t.function IN ('capture', 'begin_statement')) THEN
        RETURN; -- whole, and attached like this: readers have nothing to load
    END IF;
    same_rows := (target = cards OR (earlier.schema_name, earlier.table_name) = (schema_name, table_name))
                 AND CASE WHEN earlier.numbered = target::oid
                          THEN ARRAY(SELECT earlier.columns -> k.name FROM unnest(earlier.key) AS k(name)) = ARRAY(SELECT numbers -> k.name FROM unnest(key_columns) AS k(name))
                          ELSE earlier.key = key_columns END;
    -- Dropping triggers takes the strongest lock, creating them does not keep out readers.
    PERFORM feed.lock_tables(n.targets, CASE WHEN earlier.relation IS NULL AND n.targets = ARRAY[target] AND NOT has_triggers THEN 'SHARE ROW EXCLUSIVE' ELSE 'ACCESS EXCLUSIVE' END)
    FROM (SELECT ARRAY[target] || ARRAY(SELECT a.relation FROM feed.attached AS a JOIN pg_class AS c ON c.oid = a.relation
                                        WHERE (a.schema_name, a.table_name) = (schema_name, table_name) AND a.relation <> target) AS targets) AS n;
    -- The table of the cards may have been renamed, and this table may have its name now. It stays attached.
    UPDATE feed.attached AS a SET schema_name = n.nspname, table_name = c.relname
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE a.relation = cards AND c.oid = cards AND target <> cards AND (a.schema_name, a.table_name) = (schema_name, table_name);
    -- Tables that had this name when they were attached, and were dropped or renamed since. A renamed one has kept its triggers,
    -- and would log its changes under the name that it has now.
    FOR replaced IN
        SELECT a.relation FROM feed.attached AS a
        WHERE (a.schema_name, a.table_name) = (schema_name, table_name) AND a.relation <> target
    LOOP
        PERFORM feed.detach(replaced);
        anew := true;
    END LOOP;
    IF earlier.relation IS NOT NULL OR has_triggers THEN
        PERFORM feed.detach(target);
    END IF;
    SELECT string_agg(quote_literal(a.value), ', ' ORDER BY a.place) INTO arguments
    FROM unnest(ARRAY[CASE WHEN target = cards THEN 'opportunities' ELSE '' END, coalesce(board, '')]
                || CASE WHEN cardinality(key_columns) = 1 AND excluded = '{}' THEN key_columns
                        ELSE ''::text || key_columns || CASE WHEN excluded <> '{}' THEN ''::text || excluded END END) WITH ORDINALITY AS a(value, place);

    EXECUTE format('CREATE TRIGGER feed_begin BEFORE INSERT OR UPDATE OR DELETE ON %s FOR EACH STATEMENT '
                   'EXECUTE FUNCTION feed.begin_statement()', target);
    EXECUTE format('CREATE TRIGGER feed_capture_insert AFTER INSERT ON %s REFERENCING NEW TABLE AS new_rows '
                   'FOR EACH STATEMENT EXECUTE FUNCTION feed.capture(%s)', target, arguments);
    EXECUTE format('CREATE TRIGGER feed_capture_update AFTER UPDATE ON %s REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows '
                   'FOR EACH STATEMENT EXECUTE FUNCTION feed.capture(%s)', target, arguments);
    EXECUTE format('CREATE TRIGGER feed_capture_delete AFTER DELETE ON %s REFERENCING OLD TABLE AS old_rows '
                   'FOR EACH STATEMENT EXECUTE FUNCTION feed.capture(%s)', target, arguments);
    EXECUTE format('CREATE TRIGGER feed_capture_truncate AFTER TRUNCATE ON %s '
                   'FOR EACH STATEMENT EXECUTE FUNCTION feed.capture(%s)', target, arguments);
    EXECUTE format('SELECT NOT EXISTS (SELECT FROM %s)', target) INTO is_empty;
    newest := (SELECT CASE WHEN a.atttypid = 'uuid'::regtype THEN '00000000-0000-0000-0000-000000000000' ELSE '-9223372036854775808' END
               FROM pg_attribute AS a WHERE a.attrelid = target AND ARRAY[a.attname::text] = key_columns AND a.atttypid = ANY ('{int2,int4,int8,uuid}'::regtype[]));
    IF newest IS NOT NULL AND NOT is_empty THEN
        -- ORDER BY without t would mean the text.
        EXECUTE format('SELECT t.%1$I::text FROM %2$s AS t ORDER BY t.%1$I DESC LIMIT 1', key_columns[1], target) INTO newest;
    END IF;
    -- Readers that hold rows of this table, or of an earlier one with its name, load it again.
    IF anew OR earlier.relation IS NOT NULL OR EXISTS (SELECT FROM feed.log AS l WHERE l.relation = feed.relation_name(target)) THEN
        since := feed.log_reload(feed.relation_name(target), 'attach');
    END IF;
    -- If the same table was attached before, with the same key, the original attachment counts: what was written in between is missing from the
    -- log, and verify should find it. Otherwise it counts from when the lock was acquired: until then other transactions
    -- may have written, even ones with a later ID than this one, which may have started long before.
    IF same_rows IS NOT TRUE THEN
        IF (earlier.schema_name, earlier.table_name) <> (schema_name, table_name) AND target IS DISTINCT FROM cards THEN
            PERFORM feed.log_reload(CASE WHEN earlier.schema_name = 'public' AND earlier.table_name <> 'opportunities' AND strpos(earlier.table_name, 'feed.') <> 1 THEN earlier.table_name
                                                             ELSE earlier.schema_name || '.' || earlier.table_name END, 'attach');
        END IF;
        earlier := NULL;
    END IF;
    INSERT INTO feed.attached (relation, schema_name, table_name, key, board, excluded, columns, numbered, layouts, partitions, seq, was_empty, newest_key, xid, attached_at, attached_by)
    VALUES (target, schema_name, table_name, key_columns, board, excluded, numbers, coalesce(earlier.numbered, target), coalesce(earlier.layouts, '[]'), feed.all_partitions(target), coalesce(earlier.seq, since), coalesce(earlier.was_empty, is_empty),
            CASE WHEN earlier.relation IS NULL THEN newest ELSE earlier.newest_key END, coalesce(earlier.xid, greatest(pg_current_xact_id(), (pg_snapshot_xmax(pg_current_snapshot())::text::bigint - 1)::text::xid8)),
            coalesce(earlier.attached_at, clock_timestamp()), coalesce(earlier.attached_by, session_user));
    PERFORM feed.note_layouts();
    UPDATE feed.attached AS a SET numbered = target WHERE a.relation = target AND a.numbered <> target;
END
$$;
COMMENT ON FUNCTION feed.attach(regclass, text, text, text[]) IS
    'Attaches a table to the feed: feed.attach(''public.tasks'', key => ''id'', board => ''board_id'', exclude => ''{password_hash}''). key defaults to the primary key; separate several columns with commas, or pass an array such as ''{a,"b,c"}''. Without a board column, changes reach only LISTEN and the log. Excluded and virtual columns are not logged, and a change to these alone is not logged either.';
