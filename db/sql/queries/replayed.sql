-- Whether a standby still is one, and has replayed up to a position. Runs outside the transaction that reads, whose
-- snapshot is taken later.
SELECT pg_is_in_recovery() AS standby, coalesce(pg_last_wal_replay_lsn() >= %(lsn)s::text::pg_lsn, false) AS reached
