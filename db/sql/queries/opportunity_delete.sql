-- Completed by db/opportunities.py, like opportunity_update.sql.
DELETE FROM {table} AS o USING jsonb_populate_record(NULL::{table}, %(data)s) AS new
WHERE o.{key} = new.{key} AND {on_board} AND (%(version)s::integer IS NULL OR feed.version_number(feed.row_json(o.*)) = %(version)s)
RETURNING pg_current_xact_id()::text
