-- What the holder of a cursor has and has not, and what becomes of him when he comes back with it.
CREATE FUNCTION feed.explain_cursor(cursor text) RETURNS TABLE (step text, at timestamptz, what text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, feed, pg_temp
AS $$
DECLARE
    most CONSTANT integer := 10000;
    fault text := feed.cursor_fault(explain_cursor.cursor);
    here feed.identity;
    told record;
    newest feed.trigger_log;
    last bigint := (SELECT max(l.seq) FROM feed.log AS l);
    missing bigint;
    oldest timestamptz;
BEGIN
    SELECT * INTO here FROM feed.identity;
    SELECT * INTO told FROM feed.parse_cursor(explain_cursor.cursor);
    IF fault = 'malformed' THEN
        RETURN QUERY SELECT 'resumes', NULL::timestamptz,
            'no, malformed: this is not a cursor as a feed makes them. It was cut off, or changed on its way';
        RETURN;
    END IF;

    RETURN QUERY SELECT 'cursor', NULL::timestamptz, format('of feed %s: all transactions below %s%s', told.feed_id, told.xmax,
        coalesce(' but ' || nullif(array_to_string(told.xip, ', '), '') || ', which were in progress', ''));
    IF fault IS NULL OR fault = 'pruned' THEN
        SELECT t.* INTO newest FROM feed.trigger_log AS t WHERE t.seq = told.anchor;
        RETURN QUERY SELECT 'has', newest.at, CASE
            WHEN told.anchor = 0 THEN 'nothing: the log was empty'
            WHEN newest.seq IS NULL THEN format('change %s as the newest, which is not kept any more', told.anchor)
            ELSE format('change %s as the newest: %s', told.anchor,
                        concat_ws(' ', newest.op, 'of', newest.relation, newest.key, 'by', newest.actor)) END;
        SELECT count(*), min(u.at) INTO missing, oldest
        FROM (SELECT n.at FROM feed.unseen(told.xmax, told.xip) AS n LIMIT most + 1) AS u;
        RETURN QUERY SELECT 'has not', oldest, CASE
            WHEN missing > most THEN format('more than %s changes, the newest of all is %s', most, last)
            WHEN missing > 0 THEN format('changes: %s, the oldest of them then', missing)
            WHEN fault IS NULL THEN 'nothing: it is up to date'
            ELSE 'what was pruned' END;
        RETURN QUERY
            SELECT 'has not', min(u.at), format('of %s: %s (%s)', coalesce('board ' || u.board, 'no board'), count(*),
                                                CASE WHEN count(*) = 1 THEN min(u.seq)::text ELSE min(u.seq) || ' … ' || max(u.seq) END)
            FROM (SELECT n.seq, n.at, n.board FROM feed.unseen(told.xmax, told.xip) AS n LIMIT most + 1) AS u
            GROUP BY u.board ORDER BY count(*) DESC, u.board LIMIT 20;
    END IF;

    RETURN QUERY SELECT 'held', a.oldest, format('by %s of the clients of %s, as they have shown', a.clients, a.instance)
        FROM feed.acks AS a WHERE a.cursor = explain_cursor.cursor ORDER BY a.oldest;
    RETURN QUERY SELECT 'resumes', CASE WHEN fault = 'foreign' THEN here.renewed_at END, CASE fault
        WHEN 'foreign' THEN format('no, foreign: this feed is %s since then (%s)', here.feed_id, here.reason)
        WHEN 'future' THEN format('no, future: it has change %s and transactions below %s, and this log ends with change %s and transactions below %s. It went back: a copy, a crash, a restore',
                                  told.anchor, told.xmax, coalesce(last, 0), pg_snapshot_xmax(pg_current_snapshot()))
        WHEN 'pruned' THEN format('no, pruned: the log up to change %s, with transactions up to %s, is not kept any more', here.floor_seq, here.floor_xid)
        WHEN 'diverged' THEN format('no, diverged: change %s, its newest, %s', told.anchor,
                                    CASE WHEN EXISTS (SELECT FROM feed.log AS l WHERE l.seq = told.anchor)
                                         THEN 'is another one here than it was' ELSE 'is not in this log' END)
        ELSE 'yes: who comes back with it is told what it has not of the boards that he sees' END
        || CASE WHEN fault IS NOT NULL THEN '. Who comes back with it is told so (reset), and loads his boards anew' ELSE '' END;
END
$$;
COMMENT ON FUNCTION feed.explain_cursor(text) IS
    'What the holder of a cursor has, what he has not, on which boards, and whether he can go on from it: if not, why not.';
