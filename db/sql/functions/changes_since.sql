-- The core of the feed: the rows of the log that are visible now and were not visible to the holder of a cursor.
--
-- A plain SQL function, so that the planner inlines it. Whatever the search_path, its operators are those of pg_catalog, because they
-- match the types exactly. Each of the two branches has its own index condition on log_xid; joined by OR they would be no index
-- condition, and each read pass would scan the whole index. (Written as xid >= xmin AND NOT pg_visible_in_snapshot(...), a long
-- transaction would make each read pass read everything after it.) The conditions on partition_number exclude partitions that cannot
-- contain such rows before they are opened. since_xip must be sorted, as in a snapshot.
CREATE FUNCTION feed.changes_since(since_xmax xid8, since_xip xid8[], until_xmax xid8 DEFAULT NULL, until_xip xid8[] DEFAULT NULL)
RETURNS SETOF feed.log
LANGUAGE sql STABLE
AS $$
    SELECT l.*
    FROM feed.log AS l
    WHERE l.xid >= since_xmax AND l.partition_number >= feed.first_partition_since(since_xmax) AND l.partition_number <= feed.current_partition()
      AND l.xid < coalesce(until_xmax, '18446744073709551615') AND l.xid <> ALL (coalesce(until_xip, '{}'))
    UNION ALL
    SELECT l.*
    FROM feed.log AS l
    WHERE l.xid = ANY (since_xip) AND l.xid < since_xmax AND l.partition_number >= feed.first_partition_since(since_xip[1]) AND l.partition_number <= feed.current_partition()
      AND l.xid < coalesce(until_xmax, '18446744073709551615') AND l.xid <> ALL (coalesce(until_xip, '{}'))
$$;
COMMENT ON FUNCTION feed.changes_since(xid8, xid8[], xid8, xid8[]) IS
    'Rows of feed.log that the holder of a cursor (xmax, xip) has not seen, up to another cursor or up to now. Order them by max(seq) OVER (PARTITION BY xid), then by seq.';
