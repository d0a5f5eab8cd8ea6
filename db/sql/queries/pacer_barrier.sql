-- A transaction id greater than that of each transaction in progress: all of these have ended when every smaller one has.
-- (Not the xmax of a snapshot: that is one past the newest that has ended, and others above it may be in progress.)
SELECT pg_current_xact_id()::text::bigint
