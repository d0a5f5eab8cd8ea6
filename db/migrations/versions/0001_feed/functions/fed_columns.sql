-- Building blocks for a statement about one attached table: how its triggers identify rows and boards, and how to find the
-- row for a key from the log.
CREATE FUNCTION feed.fed_columns(target regclass, OUT relation text, OUT board text, OUT row_key text, OUT key_columns text, OUT key_texts text,
                                 OUT image text, OUT row_by_key text, OUT seq bigint, OUT key text[], OUT was_empty boolean)
LANGUAGE plpgsql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    arguments record;
    -- A shortened key (see feed.short_key) has no value to look up.
    full_key CONSTANT text := 'CASE WHEN k.key !~ ''^md5:[0-9a-f]{32}$'' THEN k.key END';
    matches text;
BEGIN
    SELECT feed.current_columns(target, a.key) AS key, (feed.current_columns(target, ARRAY[a.board]))[1] AS board,
           array_remove(feed.current_columns(target, a.excluded), NULL) AS excluded, a.seq, a.was_empty
    INTO arguments FROM feed.attached AS a WHERE a.relation = target;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'table % is not attached', target
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = format('Attach it with SELECT feed.attach(%L).', target);
    END IF;
    relation := feed.relation_name(target);
    board := arguments.board;
    seq := arguments.seq;
    key := arguments.key;
    was_empty := arguments.was_empty;
    image := CASE WHEN arguments.excluded = '{}' THEN 'feed.row_json(t.*)' ELSE format('(feed.row_json(t.*) - %L::text[])', arguments.excluded) END;
    SELECT format('feed.short_key(feed.row_key(jsonb_build_object(%s), %L))',
                  string_agg(format(CASE WHEN feed.trusted_type(a.atttypid) THEN '%L::text, t.%I' ELSE '%L::text, feed.value_image(t.%I)' END, k.name, k.name), ', '), arguments.key)
    INTO row_key FROM unnest(arguments.key) AS k(name) JOIN pg_attribute AS a ON a.attrelid = target AND a.attname = k.name AND NOT a.attisdropped;
    -- Cast the key from the log to the column types, so that the index of the table is used. For a domain, cast it to the type below:
    -- the domain would check it with the rights of the caller.
    SELECT string_agg(format(CASE WHEN feed.trusted_type(a.atttypid) AND b.typtype IS DISTINCT FROM 'd' THEN '%1$s = (%2$s)::%3$s' ELSE '%4$s = %2$s' END, format('t.%I', a.attname),
                             CASE WHEN cardinality(arguments.key) = 1 THEN full_key ELSE format('((%s)::jsonb ->> %s)', full_key, c.place - 1) END,
                             CASE y.typtype WHEN 'd' THEN format_type(b.oid, y.typtypmod) ELSE format_type(a.atttypid, a.atttypmod) END,
                             feed.json_text(format('t.%I', a.attname), a.atttypid)), ' AND ' ORDER BY c.place),
           string_agg(format('t.%I', a.attname), ', ' ORDER BY c.place),
           string_agg(feed.plain_text(format('t.%I', a.attname), a.atttypid), ', ' ORDER BY c.place)
    INTO matches, key_columns, key_texts
    FROM unnest(arguments.key) WITH ORDINALITY AS c(name, place)
    JOIN pg_attribute AS a ON a.attrelid = target AND a.attname = c.name AND NOT a.attisdropped
    JOIN pg_type AS y ON y.oid = a.atttypid
    LEFT JOIN pg_type AS b ON b.oid = y.typbasetype;
    row_by_key := format('SELECT %1$s AS data FROM %2$s AS t WHERE %3$s UNION ALL '
                         'SELECT %1$s FROM %2$s AS t WHERE k.key ~ ''^md5:[0-9a-f]{32}$'' AND %4$s = k.key',
                         image, target, matches, row_key);
END
$$;
COMMENT ON FUNCTION feed.fed_columns(regclass) IS
    'Building blocks for a statement about one attached table (t): its name in the log, its board column, the expression of its key, its key columns, the same cast to text, the expression of a row image as in the log (without excluded columns), the query for the row of a key (k.key), the sequence number after which the log is about this table, its key, and whether it was empty when it was attached.';
