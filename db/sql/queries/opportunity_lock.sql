-- Completed by db/opportunities.py with the names of the table and its key.
SELECT 1 FROM {table} AS o JOIN jsonb_populate_record(NULL::{table}, %(data)s) AS new ON o.{key} = new.{key} FOR UPDATE OF o
