-- A transaction ID greater than that of every transaction in progress. These have ended once no transaction below it is in
-- progress. (The xmax of a snapshot would not do: it is one past the newest completed transaction, and later ones may be in
-- progress.)
SELECT pg_current_xact_id()::text::bigint
