-- A key that does not identify rows is refused. Capture matches the old and new image of a row by the key: rows with the same
-- key or a null key would be mixed up.
CREATE FUNCTION feed.key_obstacles(target regclass, key_columns text[]) RETURNS TABLE (reason text, hint text, code text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    named text := array_to_string(key_columns, ', ');
    wrong text;
    nearest record;
BEGIN
    code := 'invalid_table_definition';
    IF cardinality(key_columns) = 0 THEN
        reason := format('no key columns given for table %s', target);
        hint := 'Omit the argument to use the primary key, or name the columns with key => ''...''.';
        RETURN NEXT;
        RETURN;
    END IF;
    FOR wrong IN SELECT quote_ident(a.attname) FROM pg_attribute AS a
                 WHERE a.attrelid = target AND a.attname = ANY (key_columns) AND NOT a.attnotnull ORDER BY a.attnum LOOP
        reason := format('key (%s) of table %s does not identify every row: %s may be null', named, target, wrong);
        hint := format('Use ALTER TABLE %s ALTER COLUMN %s SET NOT NULL.', target, wrong);
        RETURN NEXT;
    END LOOP;
    FOR wrong IN SELECT quote_ident(a.attname) FROM pg_attribute AS a
                 WHERE a.attrelid = target AND a.attname = ANY (key_columns) AND a.attgenerated <> '' ORDER BY a.attnum LOOP
        reason := format('key (%s) of table %s would change with other columns: %s is generated', named, target, wrong);
        hint := 'Name a unique column that is not generated, with key => ''...''.';
        RETURN NEXT;
    END LOOP;
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
        reason := format('key (%s) of table %s is not unique%s', named, target, wrong);
        hint := 'Add a PRIMARY KEY or UNIQUE constraint on exactly these columns, for all rows, not deferrable.';
        RETURN NEXT;
    END IF;
END
$$;
COMMENT ON FUNCTION feed.key_obstacles(regclass, text[]) IS
    'Why columns do not identify the rows of a table: each reason, what to do, and the SQLSTATE; no row if they do. Used by feed.attach.';
