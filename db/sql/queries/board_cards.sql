SELECT o.id FROM feed.opportunities_on(ARRAY[%(board)s::text]) AS o
