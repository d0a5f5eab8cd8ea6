-- What the holder of a cursor has and does not have, and what happens when they reconnect with it.
CREATE FUNCTION feed.explain_cursor(cursor text) RETURNS TABLE (step text, at timestamptz, what text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, feed, pg_temp
AS $$
DECLARE
    maximum CONSTANT integer := 10000;
    fault text := feed.cursor_fault(explain_cursor.cursor);
    identity feed.identity;
    parsed record;
    newest feed.trigger_log;
    last bigint := (SELECT max(l.seq) FROM feed.log AS l);
    missing bigint;
    oldest timestamptz;
BEGIN
    SELECT * INTO identity FROM feed.identity;
    SELECT * INTO parsed FROM feed.parse_cursor(explain_cursor.cursor);
    IF fault = 'malformed' THEN
        RETURN QUERY SELECT 'resumes', NULL::timestamptz,
            'no, malformed: not a valid cursor. It was truncated or modified';
        RETURN;
    END IF;

    RETURN QUERY SELECT 'cursor', NULL::timestamptz, format('feed %s: all transactions below %s%s', parsed.feed_id, parsed.xmax,
        coalesce(' except ' || nullif(array_to_string(parsed.xip, ', '), '') || ', which were in progress', ''));
    IF fault IS NULL OR fault = 'pruned' THEN
        SELECT t.* INTO newest FROM feed.trigger_log AS t WHERE t.seq = parsed.anchor;
        RETURN QUERY SELECT 'has', newest.at, CASE
            WHEN parsed.anchor = 0 THEN 'nothing: the log was empty'
            WHEN newest.seq IS NULL THEN format('change %s as the newest, which has been pruned', parsed.anchor)
            ELSE format('change %s as the newest: %s', parsed.anchor,
                        concat_ws(' ', newest.op, 'of', newest.relation, newest.key, 'by', newest.actor)) END;
        SELECT count(*), min(u.at) INTO missing, oldest
        FROM (SELECT n.at FROM feed.changes_since(parsed.xmax, parsed.xip) AS n LIMIT maximum + 1) AS u;
        RETURN QUERY SELECT 'lacks', oldest, CASE
            WHEN missing > maximum THEN format('more than %s changes, the newest in the log is %s', maximum, last)
            WHEN missing > 0 THEN format('changes: %s, the oldest from this time', missing)
            WHEN fault IS NULL THEN 'nothing: it is up to date'
            ELSE 'the changes that were pruned' END;
        RETURN QUERY
            SELECT 'lacks', min(u.at), format('%s: %s (%s)', coalesce('board ' || u.board, 'no board'), count(*),
                                                CASE WHEN count(*) = 1 THEN min(u.seq)::text ELSE min(u.seq) || ' ... ' || max(u.seq) END)
            FROM (SELECT n.seq, n.at, n.board FROM feed.changes_since(parsed.xmax, parsed.xip) AS n LIMIT maximum + 1) AS u
            GROUP BY u.board ORDER BY count(*) DESC, u.board LIMIT 20;
    END IF;

    RETURN QUERY SELECT 'held', a.oldest, format('by %s clients of %s, according to their last confirmation', a.clients, a.instance)
        FROM feed.client_positions AS a WHERE a.cursor = explain_cursor.cursor ORDER BY a.oldest;
    RETURN QUERY SELECT 'resumes', CASE WHEN fault = 'foreign' THEN identity.renewed_at END, CASE fault
        WHEN 'foreign' THEN format('no, foreign: since this time the feed has ID %s (%s)', identity.feed_id, identity.reason)
        WHEN 'future' THEN format('no, future: the cursor covers change %s and transactions below %s, but this log ends at change %s and transactions below %s. The log went back: a copy, a crash or a restore',
                                  parsed.anchor, parsed.xmax, coalesce(last, 0), pg_snapshot_xmax(pg_current_snapshot()))
        WHEN 'pruned' THEN format('no, pruned: the log was pruned up to change %s and transaction %s', identity.floor_seq, identity.floor_xid)
        WHEN 'diverged' THEN format('no, diverged: change %s, the newest that it covers, %s', parsed.anchor,
                                    CASE WHEN EXISTS (SELECT FROM feed.log AS l WHERE l.seq = parsed.anchor)
                                         THEN 'is a different one in this log' ELSE 'is not in this log' END)
        ELSE 'yes: a client that reconnects with it gets the missing changes of the boards that it may see' END
        || CASE WHEN fault IS NOT NULL THEN '. A client that reconnects with it gets a reset and loads its boards again' ELSE '' END;
END
$$;
COMMENT ON FUNCTION feed.explain_cursor(text) IS
    'What the holder of a cursor has, what is missing and on which boards, and whether the client can resume from it; if not, why not.';
