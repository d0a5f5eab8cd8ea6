-- What a cursor says. The transactions in progress are written as distances: the first from xmin, each other from the one before.
CREATE FUNCTION feed.parse_cursor(cursor text, OUT feed_id text, OUT xmax xid8, OUT xip xid8[], OUT anchor bigint, OUT tag text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT part[1], part[3]::xid8,
           ARRAY(SELECT (part[2]::numeric + sum(d.distance::numeric) OVER (ORDER BY d.place))::text::xid8
                 FROM unnest(string_to_array(nullif(part[4], ''), '-')) WITH ORDINALITY AS d(distance, place)
                 ORDER BY d.place),
           part[5]::bigint, part[6]
    FROM regexp_match(cursor,
        '^([0-9a-z]{1,32})\.([0-9]{1,19})\.([0-9]{1,19})\.((?:[0-9]{1,19}(?:-[0-9]{1,19})*)?)\.([0-9]{1,19})\.([0-9a-f]{8})$') AS part
$$;
COMMENT ON FUNCTION feed.parse_cursor(text) IS
    'What a cursor says: its holder has seen all transactions below xmax but those in xip; anchor is the newest row of the log among them. All null where it is none.';
