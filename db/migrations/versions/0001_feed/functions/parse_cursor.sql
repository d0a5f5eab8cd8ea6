-- The parts of a cursor, in the one form that feed/wire/cursor.py produces. Transactions in progress are encoded as
-- distances: the first from xmin (so it is 0), each other one from its predecessor.
CREATE FUNCTION feed.parse_cursor(cursor text, OUT feed_id text, OUT xmax xid8, OUT xip xid8[], OUT anchor bigint, OUT tag text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT part[1], part[3]::xid8, progress.xip::text[]::xid8[], least(part[5]::numeric, 9223372036854775807)::bigint, part[6]
    FROM regexp_match(cursor,
        '^([0-9a-z]{1,32})[.](0|[1-9][0-9]{0,18})[.](0|[1-9][0-9]{0,18})[.]((?:0(?:-[1-9][0-9]{0,18})*)?)[.](0|[1-9][0-9]{0,18})[.]([0-9a-f]{8})$') AS part
    CROSS JOIN LATERAL (
        SELECT coalesce(array_agg(d.xid ORDER BY d.place), '{}') AS xip, max(d.xid) AS last
        FROM (SELECT d.place, part[2]::numeric + sum(d.distance::numeric) OVER (ORDER BY d.place) AS xid
              FROM unnest(string_to_array(nullif(part[4], ''), '-')) WITH ORDINALITY AS d(distance, place)) AS d
    ) AS progress
    WHERE length(cursor) <= 4096
      AND CASE WHEN progress.last IS NULL THEN part[2] = part[3] ELSE progress.last < part[3]::numeric END
$$;
COMMENT ON FUNCTION feed.parse_cursor(text) IS
    'The parts of a cursor. Its holder has seen all transactions below xmax except those in xip; anchor is the newest row of the log among them. All null if the cursor is malformed.';
