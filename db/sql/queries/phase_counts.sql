-- The number of cards in each of some phases of a board.
SELECT o.body ->> 'phase' AS phase, count(*) AS cards
FROM feed.opportunities_on(ARRAY[%(board)s::text]) AS o
WHERE o.body ->> 'phase' = ANY (%(phases)s::text[])
GROUP BY 1
