-- The heart of the feed: the rows of the log that are visible now and were not visible to the holder of a cursor.
-- A plain SQL function, so that the planner inlines it: "xid >= … OR xid = ANY (…)" is a range and a few points of log_xid.
-- (Written as xid >= xmin AND NOT pg_visible_in_snapshot(…) it would read everything behind one long transaction.)
CREATE FUNCTION feed.unseen(since_xmax xid8, since_xip xid8[], until_xmax xid8 DEFAULT NULL, until_xip xid8[] DEFAULT NULL)
RETURNS SETOF feed.log
LANGUAGE sql STABLE
AS $$
    SELECT l.*
    FROM feed.log AS l
    WHERE (l.xid >= since_xmax OR l.xid = ANY (since_xip))
      AND (until_xmax IS NULL OR (l.xid < until_xmax AND l.xid <> ALL (until_xip)))
$$;
COMMENT ON FUNCTION feed.unseen(xid8, xid8[], xid8, xid8[]) IS
    'Rows of feed.log that the holder of a cursor (xmax, xip) has not seen, up to another cursor or to now. Order them by max(seq) over xid, then seq.';
