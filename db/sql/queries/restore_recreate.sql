-- Completed by db/restore.py with the names of columns.
INSERT INTO opportunities AS o ({columns})
SELECT {values} FROM jsonb_populate_record(NULL::opportunities, %(data)s::jsonb || %(own)s) AS old
RETURNING o.id, o.version_number, to_jsonb(o.*)::text, pg_current_xact_id()::text
