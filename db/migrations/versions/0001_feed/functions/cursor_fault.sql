-- The same check as Cursor.fault() in feed/wire/cursor.py, which uses the result of db/sql/queries/proof.sql. A test
-- verifies that they agree.
CREATE FUNCTION feed.cursor_fault(cursor text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, feed, pg_temp
AS $$
    SELECT CASE
               WHEN c.feed_id IS NULL THEN 'malformed'
               WHEN c.feed_id <> i.feed_id THEN 'foreign'
               WHEN c.xmax > pg_snapshot_xmax(pg_current_snapshot()) OR c.anchor > coalesce((SELECT max(l.seq) FROM feed.log AS l), 0)
                   THEN 'future'
               WHEN coalesce(c.xip[1], c.xmax) <= i.floor_xid THEN 'pruned'
               WHEN c.anchor = 0 THEN NULL
               WHEN anchor.seq IS NULL THEN CASE WHEN c.anchor <= i.floor_seq THEN 'pruned' ELSE 'diverged' END
               WHEN c.tag <> left(encode(sha256(convert_to(
                    concat_ws(':', anchor.seq, anchor.xid, (extract(epoch FROM anchor.at) * 1000000)::bigint), 'UTF8')), 'hex'), 8)
                   THEN 'diverged'
           END
    FROM feed.identity AS i
    CROSS JOIN feed.parse_cursor(cursor_fault.cursor) AS c
    LEFT JOIN feed.log AS anchor ON anchor.seq = c.anchor
$$;
COMMENT ON FUNCTION feed.cursor_fault(text) IS
    'Why a client cannot resume from a cursor, as the reason of a reset: malformed, foreign, future, pruned or diverged. Null: it can.';
