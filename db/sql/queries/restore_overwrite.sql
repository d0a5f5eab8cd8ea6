-- Completed by db/restore.py with the names of columns.
UPDATE opportunities AS o
SET {assignments}
FROM jsonb_populate_record(NULL::opportunities, %(data)s::jsonb || %(own)s) AS old
WHERE o.id = %(id)s AND o.board_id = %(board)s AND o.version_number = %(version)s
RETURNING o.id, o.version_number, to_jsonb(o.*)::text, pg_current_xact_id()::text
