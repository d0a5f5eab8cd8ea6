CREATE FUNCTION feed.has_seen(cursor text, xid xid8) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (SELECT has_seen.xid < c.xmax AND has_seen.xid <> ALL (c.xip) FROM feed.parse_cursor(has_seen.cursor) AS c);
COMMENT ON FUNCTION feed.has_seen(text, xid8) IS
    'Whether a cursor covers a transaction (feed.trigger_log.xid). Null if the cursor is malformed.';
