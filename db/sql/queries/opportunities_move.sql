-- Completed by db/board_changes.py with the names of the table, its key, and columns.
UPDATE {table} AS o SET {assignments}
FROM unnest(%(ids)s::text[], %(places)s::text[]) AS m(id, place)
WHERE o.{key}::text = m.id AND {on_board}
