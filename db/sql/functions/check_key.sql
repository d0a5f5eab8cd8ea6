-- Rejects a key that does not identify rows. Capture matches the old and new image of a row by the key: rows with the same
-- key or a null key would be mixed up.
CREATE FUNCTION feed.check_key(target regclass, key_columns text[]) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    named text := array_to_string(key_columns, ', ');
    wrong text;
    nearest record;
BEGIN
    IF cardinality(key_columns) = 0 THEN
        RAISE EXCEPTION 'no key columns given for table %', target USING ERRCODE = 'invalid_table_definition',
            HINT = 'Omit the argument to use the primary key, or name the columns with key => ''...''.';
    END IF;
    SELECT quote_ident(attname) INTO wrong FROM pg_attribute
    WHERE attrelid = target AND attname = ANY (key_columns) AND NOT attnotnull LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'key (%) of table % does not identify every row: % may be null', named, target, wrong
            USING ERRCODE = 'invalid_table_definition', HINT = format('Use ALTER TABLE %s ALTER COLUMN %s SET NOT NULL.', target, wrong);
    END IF;
    SELECT quote_ident(attname) INTO wrong FROM pg_attribute
    WHERE attrelid = target AND attname = ANY (key_columns) AND attgenerated <> '' LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'key (%) of table % would change with other columns: % is generated', named, target, wrong
            USING ERRCODE = 'invalid_table_definition', HINT = 'Name a unique column that is not generated, with key => ''...''.';
    END IF;
    -- The index that comes closest determines the message.
    SELECT i.indpred IS NOT NULL AS partial, i.indisvalid, i.indimmediate, i.indisunique INTO nearest
    FROM pg_index AS i
    WHERE i.indrelid = target AND i.indexprs IS NULL
      AND ARRAY(SELECT a.attname::text
                FROM unnest(i.indkey) WITH ORDINALITY AS k(attnum, place)
                JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
                WHERE k.place <= i.indnkeyatts
                ORDER BY 1) = ARRAY(SELECT DISTINCT k FROM unnest(key_columns) AS k ORDER BY 1)
    ORDER BY i.indisunique DESC, i.indpred IS NULL DESC, i.indisvalid DESC, i.indimmediate DESC LIMIT 1;
    wrong := CASE WHEN nearest.indisunique IS NOT TRUE THEN ''
                  WHEN nearest.partial THEN ': its index covers only some rows'
                  WHEN NOT nearest.indisvalid THEN ': its index is invalid because its creation failed'
                  WHEN NOT nearest.indimmediate THEN ': its constraint is deferrable, so two rows may have the same key until it is checked' END;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'key (%) of table % is not unique%', named, target, wrong
            USING ERRCODE = 'invalid_table_definition',
                  HINT = 'Add a PRIMARY KEY or UNIQUE constraint on exactly these columns, for all rows, not deferrable.';
    END IF;
END
$$;
COMMENT ON FUNCTION feed.check_key(regclass, text[]) IS
    'Raises an error if a key does not identify the rows of a table. Used by feed.attach.';
