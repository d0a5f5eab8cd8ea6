-- Compares the table with the log, for a batch of rows in the order of the key. It reports rows that are not in the log
-- although their transaction (xmin) is not older than since, the attachment of the table. The last row, which has no
-- finding, returns how far the batch got (upto: the key columns; null at the end), how many rows it read, and how many of
-- them are older than the log (found).
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
BEGIN
    IF target IS NULL THEN
        RETURN;
    END IF;
    IF after IS NOT NULL THEN
        SELECT format('(%s) > (%s)', parts.key_columns, string_agg(quote_literal(v), ', ' ORDER BY place)) INTO beyond
        FROM unnest(after) WITH ORDINALITY AS a(v, place);
    END IF;
    RETURN QUERY EXECUTE format($query$
        WITH part AS MATERIALIZED (
            SELECT %1$s AS key, ARRAY[%2$s]::text[] AS place, age(t.xmin) AS age, feed.version_number(%7$s) AS version,
                   row_number() OVER (ORDER BY %3$s) AS number
            FROM %4$s AS t WHERE %5$s ORDER BY %3$s LIMIT $1
        ), unknown AS (
            SELECT p.* FROM part AS p
            WHERE NOT EXISTS (SELECT FROM feed.log AS l WHERE l.relation = %6$L AND l.key = p.key AND l.seq > $3 OFFSET 0)
        )
        SELECT 'unlogged', u.key, NULL::bigint, NULL::integer, u.version, NULL::text[], NULL::text[], NULL::bigint
        FROM unknown AS u WHERE u.age < age($2::xid)
        UNION ALL
        SELECT NULL, NULL, NULL, NULL, (SELECT count(*) FROM unknown AS u WHERE u.age >= age($2::xid))::integer, NULL,
               (SELECT p.place FROM part AS p WHERE p.number = $1), (SELECT count(*) FROM part)
    $query$, parts.row_key, parts.key_texts, parts.key_columns, target, beyond, parts.relation, parts.image)
    USING rows, since, parts.seq;
END
$$;
COMMENT ON FUNCTION feed.verify_rows(regclass, xid8, text[], integer) IS
    'Rows of an attached table that are not in the log although they were written by a transaction since the given one. The last row reports how far the batch got.';
