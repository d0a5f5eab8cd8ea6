-- Whether the names that were asked for exist. A deleted row still exists in the log; a name that is found nowhere is a
-- mistake.
SELECT %(board)s::text IS NULL
       OR EXISTS (SELECT FROM feed.boards WHERE id = %(board)s)
       OR EXISTS (SELECT FROM feed.log AS l WHERE l.relation = 'feed.boards' AND l.key = %(board)s) AS board,
       %(opportunity)s::text IS NULL
       OR EXISTS (SELECT FROM feed.opportunities_of(ARRAY[%(opportunity)s::text]))
       OR EXISTS (SELECT FROM feed.log AS l WHERE l.relation = 'opportunities' AND l.key = %(opportunity)s) AS opportunity,
       coalesce((SELECT l.relation FROM feed.log AS l WHERE l.relation = %(table)s LIMIT 1),
                (SELECT feed.relation_name(t.relation) FROM feed.triggers AS t
                 WHERE t.function = 'capture' AND t.relation = to_regclass(%(table)s) LIMIT 1)) AS fed,
       to_regclass(%(table)s) IS NOT NULL AS there
