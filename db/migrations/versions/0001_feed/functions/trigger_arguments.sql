-- pg_trigger stores the arguments as bytes, each terminated by a zero byte, and PostgreSQL has no function to split them.
-- They are the name under which the table is logged ('' for its own), the board column ('' for none), and the key column. If the key
-- has several columns, or columns are excluded, '' takes the place of the key column, and then come the key columns and, if columns
-- are excluded, '' and these.
CREATE FUNCTION feed.trigger_arguments(tgargs bytea, OUT board text, OUT key text[], OUT excluded text[])
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    WITH bytes AS (
        SELECT string_to_array(regexp_replace(encode(tgargs, 'hex'), '(..)', E'\\1 ', 'g'), '00 ') AS parts
    ), given AS (
        SELECT array_agg(convert_from(decode(replace(a.hex, ' ', ''), 'hex'), getdatabaseencoding()) ORDER BY a.place) AS names
        FROM bytes AS b CROSS JOIN LATERAL unnest(b.parts) WITH ORDINALITY AS a(hex, place)
        WHERE a.place < cardinality(b.parts)
    )
    SELECT nullif(g.names[2], ''), n.names[:coalesce(s.place - 1, cardinality(n.names))], coalesce(n.names[s.place + 1:], '{}')
    FROM given AS g
    CROSS JOIN LATERAL (SELECT CASE WHEN g.names[3] = '' THEN g.names[4:] ELSE g.names[3:] END AS names) AS n
    CROSS JOIN LATERAL array_position(n.names, '') AS s(place)
$$;
COMMENT ON FUNCTION feed.trigger_arguments(bytea) IS
    'Arguments of a trigger that calls feed.capture, from pg_trigger.tgargs: the board column, the key columns and the excluded columns.';
