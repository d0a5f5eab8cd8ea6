-- IDs of the cards in a phase, in their order.
SELECT o.id FROM feed.opportunities_on(ARRAY[%(board)s::text]) AS o
WHERE o.body ->> 'phase' = %(phase)s
ORDER BY o.place COLLATE "C", o.id
