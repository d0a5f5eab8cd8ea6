-- Completed by db/opportunities.py with the names of the table, its key, and columns. PostgreSQL converts the values to the types of
-- the columns.
UPDATE {table} AS o
SET {assignments}
FROM jsonb_populate_record(NULL::{table}, (%(data)s::jsonb - %(marked)s::text[]) || %(own)s) AS new
WHERE o.{key} = new.{key} AND {on_board} AND (%(version)s::integer IS NULL OR feed.version_number(feed.row_json(o.*)) = %(version)s)
RETURNING to_jsonb(o.{key}) #>> '{{}}', feed.version_number(feed.row_json(o.*)), (feed.row_json(o.*) || coalesce(feed.card_details(to_jsonb(o.{key}) #>> '{{}}'), '{{}}'))::text, pg_current_xact_id()::text
