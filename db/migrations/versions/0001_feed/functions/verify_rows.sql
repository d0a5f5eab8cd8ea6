-- Compares the table with the log, for a batch of rows in the order of the key, and reports rows that are not in the log. A row that is
-- older than the log does not have to be there. If the table had no rows when it was attached, and nothing was pruned since, or
-- if it was emptied since, no row is older. Nor is one with a key larger than those of all older rows, or a version other than the one
-- that boardcast gave to all rows. Otherwise xmin tells when a row was written last. But that may have been an UPDATE that changed nothing, or an ALTER TABLE that wrote all rows again,
-- so a row that was written since is uncertain.
--
-- The last row, which has no finding, returns how far the batch got (upto: the key columns; null at the end), how many rows it read,
-- and how many of them are older than the log (found).
CREATE FUNCTION feed.verify_rows(target regclass, since xid8, after text[] DEFAULT NULL, rows integer DEFAULT 1000)
RETURNS TABLE (finding text, key text, seq bigint, logged integer, found integer, columns text[], upto text[], read bigint)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, feed, pg_temp
-- Like feed.capture, so that a key that contains a time has the same text.
SET timezone = 'UTC'
SET datestyle = 'ISO, YMD'
SET intervalstyle = 'postgres'
SET bytea_output = 'hex'
SET extra_float_digits = 1
SET lc_monetary = 'C'
SET quote_all_identifiers = off
-- Raise an error if row security hides rows, instead of treating them as missing.
SET row_security = off
-- Compiling the statement would take longer than running it.
SET jit = off
AS $$
DECLARE
    parts record := feed.fed_columns(target);
    beyond text := 'true';
    floor bigint := (SELECT i.floor_seq FROM feed.identity AS i);
    complete boolean;
    starts_at_one boolean;
    is_newest text;
    newest bigint := pg_snapshot_xmax(pg_current_snapshot())::text::bigint;
BEGIN
    IF target IS NULL THEN
        RETURN;
    END IF;
    IF after IS NOT NULL THEN
        SELECT format('(%s) > (%s)', parts.key_columns, string_agg(quote_literal(v), ', ' ORDER BY place)) INTO beyond
        FROM unnest(after) WITH ORDINALITY AS a(v, place);
    END IF;
    complete := parts.was_empty AND floor = 0
                OR EXISTS (SELECT FROM feed.log AS l WHERE l.relation = parts.relation AND l.key IS NULL AND l.op = 'truncate' AND l.seq > parts.seq);
    -- A column that was dropped and added again has another default (see feed.mend_columns).
    starts_at_one := floor = 0 AND EXISTS (SELECT FROM feed.adopted AS a WHERE a.relation = target AND a.role = 'opportunities' AND 'version_number' = ANY (a.added))
                     AND NOT EXISTS (SELECT FROM feed.log AS l WHERE l.relation = parts.relation AND l.key IS NULL AND l.op = 'reload' AND l.origin = 'repair');
    is_newest := (SELECT format('t.%I > %L::%s', a.attname, t.newest_key, CASE a.atttypid WHEN 'uuid'::regtype THEN 'uuid' ELSE 'numeric' END)
                  FROM feed.attached AS t JOIN pg_attribute AS a ON a.attrelid = t.relation AND ARRAY[a.attname::text] = parts.key
                  WHERE t.relation = target AND CASE WHEN t.newest_key ~ '^-?[0-9]+$' THEN a.atttypid = ANY ('{int2,int4,int8}'::regtype[]) ELSE a.atttypid = 'uuid'::regtype END);
    RETURN QUERY EXECUTE format($query$
        WITH part AS MATERIALIZED (
            SELECT %1$s AS key, ARRAY[%2$s]::text[] AS place, t.xmin, feed.version_number(%7$s) AS version, %8$s AS is_newest,
                   row_number() OVER (ORDER BY %3$s) AS number
            FROM %4$s AS t WHERE %5$s ORDER BY %3$s LIMIT $1
        ), unknown AS (
            -- xmin has the last 32 bits of a transaction ID, also long after the row was frozen; 1 and 2 stand for rows that are older still.
            SELECT p.*, $4 OR p.is_newest OR $6 AND p.version > 1 AS missing, p.xmin::text::bigint > 2 AND (($5 - p.xmin::text::bigint) & 4294967295) < $5 - $2::text::bigint AS newer
            FROM part AS p
            WHERE NOT EXISTS (SELECT FROM feed.log AS l WHERE l.relation = %6$L AND l.key = p.key AND l.seq > $3 OFFSET 0)
        )
        SELECT CASE WHEN u.missing THEN 'unlogged' ELSE 'uncertain' END, u.key, NULL::bigint, NULL::integer, u.version, NULL::text[], NULL::text[], NULL::bigint
        FROM unknown AS u WHERE u.missing OR u.newer
        UNION ALL
        SELECT NULL, NULL, NULL, NULL, (SELECT count(*) FROM unknown AS u WHERE (u.missing OR u.newer) IS NOT TRUE)::integer, NULL,
               (SELECT p.place FROM part AS p WHERE p.number = $1), (SELECT count(*) FROM part)
    $query$, parts.row_key, parts.key_texts, parts.key_columns, target, beyond, parts.relation, parts.image, coalesce(is_newest, 'false'))
    USING rows, since, parts.seq, complete, newest, starts_at_one;
END
$$;
COMMENT ON FUNCTION feed.verify_rows(regclass, xid8, text[], integer) IS
    'Rows of an attached table that are not in the log. unlogged: the row must be there; uncertain: it was written by a transaction since the given one, but perhaps without a change. The last row reports how far the batch got.';
