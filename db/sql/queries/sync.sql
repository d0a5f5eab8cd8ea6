-- For one who polls: the cards that transactions unseen at his cursor have touched, as they are now; no body where a card is
-- gone, or not on his boards any more. A page is whole transactions by xid, up to `upto`: here order does not matter, since
-- what is told is states and not events.
--
-- A client can hold a card only of a board that is theirs now, or of one from which an unseen transaction took them off: of these boards
-- all that is unseen counts. The page with a change of rights has every card that they may hold through that board: those on it now, and
-- those that unseen transactions touched on it, also ones beyond this page. By the time that those are read, the board would be neither
-- theirs nor one whose change of rights is unseen, and what left it would not be noticed.
WITH mine AS (
    SELECT m.board_id FROM board_members AS m WHERE m.user_id = %(user)s::text
), unseen AS MATERIALIZED (
    SELECT u.xid, u.relation, u.op, u.key, u.board
    FROM feed.unseen(%(since_xmax)s::text::xid8, %(since_xip)s::text[]::xid8[]) AS u
    WHERE u.relation = 'opportunities'
       OR (u.relation = 'board_members'
           AND (u.op IN ('truncate', 'reload') OR coalesce(u.new, u.old) ->> 'user_id' = %(user)s::text))
), turned AS (
    -- A change of the role alone lets nobody on or off.
    SELECT u.xid, u.board FROM unseen AS u WHERE u.relation = 'board_members' AND u.op <> 'update'
), touched AS (
    SELECT key, min(xid) AS xid
    FROM (
        SELECT u.key, u.xid
        FROM unseen AS u
        WHERE u.relation = 'opportunities' AND u.key IS NOT NULL
          AND (u.board IN (SELECT board_id FROM mine) OR u.board IN (SELECT board FROM turned))
        UNION ALL
        SELECT o.id, t.xid FROM turned AS t JOIN opportunities AS o ON o.board_id = t.board
        UNION ALL
        SELECT u.key, t.xid FROM turned AS t JOIN unseen AS u ON u.board = t.board
        WHERE u.relation = 'opportunities' AND u.key IS NOT NULL
    ) AS either
    GROUP BY key
), page AS (
    -- Always one transaction at least, whatever its size.
    SELECT coalesce(max(xid) FILTER (WHERE total <= %(limit)s), min(xid)) AS upto, max(xid) AS last
    FROM (SELECT xid, sum(count(*)) OVER (ORDER BY xid) AS total FROM touched GROUP BY xid) AS t
)
SELECT (SELECT max(u.op) FROM unseen AS u WHERE u.op IN ('truncate', 'reload')) AS anew,
       page.upto::text::bigint AS upto,
       coalesce(page.upto < page.last, false) AS more,
       touched.key,
       to_jsonb(o.*)::text AS body
FROM page
LEFT JOIN touched ON touched.xid <= page.upto
LEFT JOIN opportunities AS o ON o.id = touched.key AND o.board_id IN (SELECT board_id FROM mine)
ORDER BY touched.key
