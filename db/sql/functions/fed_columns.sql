-- What a statement made for one fed table needs: how its triggers name rows and boards, and how a key of the log finds its row.
CREATE FUNCTION feed.fed_columns(target regclass, OUT relation text, OUT board text, OUT row_key text, OUT matches text, 
                                 OUT key_columns text, OUT key_texts text, OUT image text)
LANGUAGE plpgsql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    given record;
BEGIN
    SELECT a.* INTO given FROM pg_trigger AS t CROSS JOIN LATERAL feed.trigger_arguments(t.tgargs) AS a
    WHERE t.tgrelid = target AND t.tgfoid = 'feed.capture()'::regprocedure LIMIT 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'table % is not fed', target
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = format('SELECT feed.attach(%L) puts the feed on it.', target);
    END IF;
    relation := feed.relation_name(target);
    board := given.board;
    image := CASE WHEN given.left_out = '{}' THEN 'to_jsonb(t.*)' ELSE format('(to_jsonb(t.*) - %L::text[])', given.left_out) END;
    row_key := format('feed.row_key(to_jsonb(t.*), %L)', given.key);
    -- The key of the log as the columns' own types, so that the table's index is asked.
    SELECT string_agg(format('t.%I = (%s)::%s', a.attname,
                             CASE WHEN cardinality(given.key) = 1 THEN 'k.key' ELSE format('k.key::jsonb ->> %s', c.place - 1) END,
                             format_type(a.atttypid, a.atttypmod)), ' AND ' ORDER BY c.place),
           string_agg(format('t.%I', a.attname), ', ' ORDER BY c.place),
           string_agg(format('t.%I::text', a.attname), ', ' ORDER BY c.place)
    INTO matches, key_columns, key_texts
    FROM unnest(given.key) WITH ORDINALITY AS c(name, place)
    JOIN pg_attribute AS a ON a.attrelid = target AND a.attname = c.name AND NOT a.attisdropped;
END
$$;
COMMENT ON FUNCTION feed.fed_columns(regclass) IS
    'For statements that are made for one fed table (t): its name in the log, its board column, the expression of its key, what finds the row of a key (k.key), its key columns, the same as texts, and the image of a row as the log has it (without what is left out).';
