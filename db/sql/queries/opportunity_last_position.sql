SELECT o.place FROM feed.opportunities_on(ARRAY[%(board)s::text]) AS o
WHERE o.body ->> 'phase' = %(phase)s
ORDER BY o.place COLLATE "C" DESC LIMIT 1
