-- The table against the log: one part, of so many rows, in the order of its key. Told are rows of which the log knows nothing though they were
-- written since the table is fed (since), by the transaction that wrote them. The last row, without a finding, says how far it came (upto: the
-- key columns; null at the end), how many rows it read, and how many of them are older than the log (found).
CREATE FUNCTION feed.verify_rows(target regclass, since xid8, after text[] DEFAULT NULL, rows integer DEFAULT 1000)
RETURNS TABLE (finding text, key text, seq bigint, logged integer, found integer, columns text[], upto text[], read bigint)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, feed, pg_temp
-- A key with a time is named as capture names it.
SET timezone = 'UTC'
-- Who may not see all rows is told so, and not that they are missing.
SET row_security = off
AS $$
DECLARE
    fed record := feed.fed_columns(target);
    beyond text := 'true';
BEGIN
    IF target IS NULL THEN
        RETURN;
    END IF;
    IF after IS NOT NULL THEN
        SELECT format('(%s) > (%s)', fed.key_columns, string_agg(quote_literal(v), ', ' ORDER BY place)) INTO beyond
        FROM unnest(after) WITH ORDINALITY AS a(v, place);
    END IF;
    RETURN QUERY EXECUTE format($query$
        WITH part AS MATERIALIZED (
            SELECT %1$s AS key, ARRAY[%2$s]::text[] AS place, age(t.xmin) AS age, (to_jsonb(t.*) ->> 'version_number')::integer AS version,
                   row_number() OVER (ORDER BY %3$s) AS number
            FROM %4$s AS t WHERE %5$s ORDER BY %3$s LIMIT $1
        ), unknown AS (
            SELECT p.* FROM part AS p
            WHERE NOT EXISTS (SELECT FROM feed.log AS l WHERE l.relation = %6$L AND l.key = p.key OFFSET 0)
        )
        SELECT 'unlogged', u.key, NULL::bigint, NULL::integer, u.version, NULL::text[], NULL::text[], NULL::bigint
        FROM unknown AS u WHERE u.age < age($2::xid)
        UNION ALL
        SELECT NULL, NULL, NULL, NULL, (SELECT count(*) FROM unknown AS u WHERE u.age >= age($2::xid))::integer, NULL,
               (SELECT p.place FROM part AS p WHERE p.number = $1), (SELECT count(*) FROM part)
    $query$, fed.row_key, fed.key_texts, fed.key_columns, target, beyond, fed.relation)
    USING rows, since;
END
$$;
COMMENT ON FUNCTION feed.verify_rows(regclass, xid8, text[], integer) IS
    'Rows of a fed table of which the log knows nothing though a transaction from `since` on wrote them. The last row says how far this part came.';
