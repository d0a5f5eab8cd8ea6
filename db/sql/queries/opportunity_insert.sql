-- Completed by db/opportunities.py, like opportunity_update.sql.
INSERT INTO {table} AS o ({columns})
SELECT {values} FROM jsonb_populate_record(NULL::{table}, (%(data)s::jsonb - %(marked)s::text[]) || %(own)s) AS new
RETURNING to_jsonb(o.{key}) #>> '{{}}', feed.version_number(feed.row_json(o.*)), (feed.row_json(o.*) || coalesce(feed.card_details(to_jsonb(o.{key}) #>> '{{}}'), '{{}}'))::text, pg_current_xact_id()::text
