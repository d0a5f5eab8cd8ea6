-- Refuses a key that does not tell rows apart. Capture finds a row's old and new image by the key: two rows of one key, or of none, would
-- be mixed up.
CREATE FUNCTION feed.check_key(target regclass, key_columns text[]) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    named text := array_to_string(key_columns, ', ');
    wrong text;
    best record;
BEGIN
    IF cardinality(key_columns) = 0 THEN
        RAISE EXCEPTION 'no key is named for table %', target USING ERRCODE = 'invalid_table_definition',
            HINT = 'Without key => ''…'' it is the primary key.';
    END IF;
    SELECT quote_ident(attname) INTO wrong FROM pg_attribute
    WHERE attrelid = target AND attname = ANY (key_columns) AND NOT attnotnull LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the key (%) of table % does not tell all rows apart: % may be null', named, target, wrong
            USING ERRCODE = 'invalid_table_definition', HINT = format('ALTER TABLE %s ALTER COLUMN %s SET NOT NULL.', target, wrong);
    END IF;
    SELECT quote_ident(attname) INTO wrong FROM pg_attribute
    WHERE attrelid = target AND attname = ANY (key_columns) AND attgenerated <> '' LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the key (%) of table % would change with other columns: % is generated', named, target, wrong
            USING ERRCODE = 'invalid_table_definition', HINT = 'Name a unique column that is written, with key => ''…''.';
    END IF;
    -- The index that comes nearest says what is missing.
    SELECT i.indpred IS NOT NULL AS partial, i.indisvalid, i.indimmediate, i.indisunique INTO best
    FROM pg_index AS i
    WHERE i.indrelid = target AND i.indexprs IS NULL
      AND ARRAY(SELECT a.attname::text
                FROM unnest(i.indkey) WITH ORDINALITY AS k(attnum, place)
                JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
                WHERE k.place <= i.indnkeyatts
                ORDER BY 1) = ARRAY(SELECT DISTINCT k FROM unnest(key_columns) AS k ORDER BY 1)
    ORDER BY i.indisunique DESC, i.indpred IS NULL DESC, i.indisvalid DESC, i.indimmediate DESC LIMIT 1;
    wrong := CASE WHEN best.indisunique IS NOT TRUE THEN ''
                  WHEN best.partial THEN ': its index is unique for some rows only'
                  WHEN NOT best.indisvalid THEN ': its index is not valid, as its making failed'
                  WHEN NOT best.indimmediate THEN ': its constraint is DEFERRABLE, so two rows may have the same key until it is checked' END;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'the key (%) of table % is not unique%', named, target, wrong
            USING ERRCODE = 'invalid_table_definition',
                  HINT = 'It needs a PRIMARY KEY or a UNIQUE constraint on just these columns, over all rows, not deferrable.';
    END IF;
END
$$;
COMMENT ON FUNCTION feed.check_key(regclass, text[]) IS 'Refuses a key that does not tell the rows of a table apart. For feed.attach.';
