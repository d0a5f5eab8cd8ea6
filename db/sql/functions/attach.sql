-- Puts the feed on a table.
CREATE FUNCTION feed.attach(target regclass, key text DEFAULT NULL, board text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    key_columns text[];
    arguments text;
    key_changed text;
    key_set text;
    missing text;
    fed feed.attached;
BEGIN
    IF coalesce(pg_partition_root(target), target) = 'feed.log'::regclass THEN
        RAISE EXCEPTION 'the log cannot be fed into itself' USING ERRCODE = 'invalid_table_definition';
    END IF;
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
    ELSE
        key_columns := ARRAY(SELECT btrim(part) FROM unnest(string_to_array(key, ',')) AS part);
    END IF;
    SELECT c.name INTO missing FROM unnest(key_columns || board) AS c(name)
    WHERE c.name IS NOT NULL
      AND NOT EXISTS (SELECT FROM pg_attribute
                      WHERE attrelid = target AND attname = c.name AND attnum > 0 AND NOT attisdropped);
    IF FOUND THEN
        RAISE EXCEPTION 'table % has no column %', target, quote_ident(missing) USING ERRCODE = 'undefined_column';
    END IF;
    IF cardinality(key_columns) = 0 THEN
        RAISE EXCEPTION 'no key is named for table %', target USING ERRCODE = 'invalid_table_definition';
    END IF;
    -- Capture finds a row's old and new image by the key: two rows of one key, or of none, would be mixed up.
    IF EXISTS (SELECT FROM pg_attribute
               WHERE attrelid = target AND attname = ANY (key_columns) AND NOT attnotnull)
       OR NOT EXISTS (SELECT FROM pg_index AS i
                      WHERE i.indrelid = target AND i.indisunique AND i.indisvalid
                        AND i.indpred IS NULL AND i.indexprs IS NULL
                        AND ARRAY(SELECT a.attname::text
                                  FROM unnest(i.indkey) WITH ORDINALITY AS k(attnum, place)
                                  JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
                                  WHERE k.place <= i.indnkeyatts
                                  ORDER BY 1) = ARRAY(SELECT DISTINCT k FROM unnest(key_columns) AS k ORDER BY 1)) THEN
        RAISE EXCEPTION 'the key (%) of table % is not unique', array_to_string(key_columns, ', '), target
            USING ERRCODE = 'invalid_table_definition', HINT = 'It needs a UNIQUE constraint, and NOT NULL on each column.';
    END IF;

    SELECT a.* INTO fed FROM feed.attached AS a WHERE a.relation = target;
    PERFORM feed.detach(target);
    SELECT string_agg(quote_literal(a.value), ', ' ORDER BY a.place) INTO arguments
    FROM unnest(coalesce(board, '') || key_columns) WITH ORDINALITY AS a(value, place);
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
    -- Attached anew it is fed since when it was: what was written in between is missing in the log.
    INSERT INTO feed.attached (relation, xid, at, who)
    VALUES (target, coalesce(fed.xid, pg_current_xact_id()), coalesce(fed.at, clock_timestamp()), coalesce(fed.who, session_user));
END
$$;
COMMENT ON FUNCTION feed.attach(regclass, text, text) IS
    'Puts the feed on a table: feed.attach(''public.tasks'', key => ''id'', board => ''board_id''). The key is the primary key unless named (several columns: comma between); without a board column nobody but LISTENers and the log are told.';
