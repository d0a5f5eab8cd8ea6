SELECT DISTINCT relation::text AS table, key, board, excluded FROM feed.triggers
WHERE relation = %(table)s::text::regclass AND function = 'capture' AND state <> 'missing'
