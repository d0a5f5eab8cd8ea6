-- The heart of the feed: the rows of the log that are visible now and were not visible to the holder of a cursor.
-- A plain SQL function, so that the planner inlines it. Two branches, each with a condition of its own on log_xid: joined by OR
-- they are no index condition, and the whole index is read for each sweep. (And written as
-- xid >= xmin AND NOT pg_visible_in_snapshot(…), everything behind one long transaction is.) The eras leave out the partitions in
-- which there can be nothing of the kind, before they are opened; since_xip is in order, as in a snapshot.
CREATE FUNCTION feed.unseen(since_xmax xid8, since_xip xid8[], until_xmax xid8 DEFAULT NULL, until_xip xid8[] DEFAULT NULL)
RETURNS SETOF feed.log
LANGUAGE sql STABLE
AS $$
    SELECT l.*
    FROM feed.log AS l
    WHERE l.xid >= since_xmax AND l.era >= feed.era_since(since_xmax) AND l.era <= feed.era_now()
      AND l.xid < coalesce(until_xmax, '18446744073709551615') AND l.xid <> ALL (coalesce(until_xip, '{}'))
    UNION ALL
    SELECT l.*
    FROM feed.log AS l
    WHERE l.xid = ANY (since_xip) AND l.xid < since_xmax AND l.era >= feed.era_since(since_xip[1]) AND l.era <= feed.era_now()
      AND l.xid < coalesce(until_xmax, '18446744073709551615') AND l.xid <> ALL (coalesce(until_xip, '{}'))
$$;
COMMENT ON FUNCTION feed.unseen(xid8, xid8[], xid8, xid8[]) IS
    'Rows of feed.log that the holder of a cursor (xmax, xip) has not seen, up to another cursor or to now. Order them by max(seq) over xid, then seq.';
