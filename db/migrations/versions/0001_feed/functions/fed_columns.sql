-- Building blocks for a statement about one attached table: how its triggers identify rows and boards, and how to find the
-- row for a key from the log.
CREATE FUNCTION feed.fed_columns(target regclass, OUT relation text, OUT board text, OUT row_key text, OUT matches text,
                                 OUT key_columns text, OUT key_texts text, OUT image text)
LANGUAGE plpgsql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    arguments record;
BEGIN
    SELECT a.* INTO arguments FROM pg_trigger AS t CROSS JOIN LATERAL feed.trigger_arguments(t.tgargs) AS a
    WHERE t.tgrelid = target AND t.tgfoid = 'feed.capture()'::regprocedure LIMIT 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'table % is not attached', target
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = format('Attach it with SELECT feed.attach(%L).', target);
    END IF;
    relation := feed.relation_name(target);
    board := arguments.board;
    image := CASE WHEN arguments.excluded = '{}' THEN 'to_jsonb(t.*)' ELSE format('(to_jsonb(t.*) - %L::text[])', arguments.excluded) END;
    row_key := format('feed.row_key(to_jsonb(t.*), %L)', arguments.key);
    -- Cast the key from the log to the column types, so that the index of the table is used.
    SELECT string_agg(format('t.%I = (%s)::%s', a.attname,
                             CASE WHEN cardinality(arguments.key) = 1 THEN 'k.key' ELSE format('k.key::jsonb ->> %s', c.place - 1) END,
                             format_type(a.atttypid, a.atttypmod)), ' AND ' ORDER BY c.place),
           string_agg(format('t.%I', a.attname), ', ' ORDER BY c.place),
           string_agg(format('t.%I::text', a.attname), ', ' ORDER BY c.place)
    INTO matches, key_columns, key_texts
    FROM unnest(arguments.key) WITH ORDINALITY AS c(name, place)
    JOIN pg_attribute AS a ON a.attrelid = target AND a.attname = c.name AND NOT a.attisdropped;
END
$$;
COMMENT ON FUNCTION feed.fed_columns(regclass) IS
    'Building blocks for a statement about one attached table (t): its name in the log, its board column, the expression of its key, the condition that finds the row for a key (k.key), its key columns, the same cast to text, and the expression of a row image as in the log (without excluded columns).';
