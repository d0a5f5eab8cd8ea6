-- For a client that polls: the current state of the cards that were changed by transactions not covered by its cursor. The
-- body is null if the card was deleted or is no longer on a board of the user. A page consists of whole transactions
-- ordered by xid, up to `upto`; the order does not matter here, because the result is a state and not a sequence of events.
--
-- A client can hold a card only from a board that the user can see now, or from one that they could see until a transaction
-- not covered by the cursor removed them. All changes since the cursor on these boards count. The page with a change of
-- membership contains every card that the client may hold from that board: those on it now, and those that were changed on
-- it since the cursor, including ones beyond this page. By the time of a later page the change of membership would be
-- covered by the cursor, and cards that left the board would be missed.
-- boards: the boards of the user on which something other than a card has changed since the cursor.
WITH mine AS (
    SELECT m.board_id FROM feed.board_members AS m WHERE m.user_id = %(user)s::text
), missing AS MATERIALIZED (
    SELECT u.xid, u.relation, u.op, u.key, u.board,
           u.relation = 'feed.board_members' AND coalesce(u.new, u.old) ->> 'user_id' = %(user)s::text AS own
    FROM feed.changes_since(%(since_xmax)s::text::xid8, %(since_xip)s::text[]::xid8[]) AS u
    WHERE u.relation IN ('opportunities', 'feed.opportunity_details', 'feed.boards', 'feed.board_members')
), membership AS (
    -- A change of only the role neither adds nor removes the user.
    SELECT u.xid, u.board FROM missing AS u WHERE u.own AND u.op <> 'update'
), touched AS (
    SELECT key, min(xid) AS xid
    FROM (
        SELECT u.key, u.xid
        FROM missing AS u
        WHERE u.relation IN ('opportunities', 'feed.opportunity_details') AND u.key IS NOT NULL
          AND (u.board IN (SELECT board_id FROM mine) OR u.board IN (SELECT board FROM membership))
        UNION ALL
        SELECT o.id, t.xid FROM membership AS t CROSS JOIN LATERAL feed.opportunities_on(ARRAY[t.board]) AS o
        UNION ALL
        SELECT u.key, t.xid FROM membership AS t JOIN missing AS u ON u.board = t.board
        WHERE u.relation = 'opportunities' AND u.key IS NOT NULL
    ) AS either
    GROUP BY key
), page AS (
    -- At least one transaction, whatever its size.
    SELECT coalesce(max(xid) FILTER (WHERE total <= %(limit)s), min(xid)) AS upto, max(xid) AS last
    FROM (SELECT xid, sum(count(*)) OVER (ORDER BY xid) AS total FROM touched GROUP BY xid) AS t
)
SELECT (SELECT max(u.op) FROM missing AS u WHERE u.op IN ('truncate', 'reload')) AS reload,
       page.upto::text::bigint AS upto,
       coalesce(page.upto < page.last, false) AS more,
       (SELECT coalesce(array_agg(DISTINCT u.board ORDER BY u.board), '{}') FROM missing AS u
        WHERE u.relation NOT IN ('opportunities', 'feed.opportunity_details') AND (u.own OR u.board IN (SELECT board_id FROM mine))) AS boards,
       touched.key,
       o.body::text AS body
FROM page
LEFT JOIN touched ON touched.xid <= page.upto
LEFT JOIN feed.opportunities_of(ARRAY(SELECT t.key FROM touched AS t JOIN page AS p ON t.xid <= p.upto)) AS o ON o.id = touched.key AND o.board_id IN (SELECT board_id FROM mine)
ORDER BY touched.key
