-- Whether a standby is one still, and has replayed that far. Asked outside of the transaction that reads: its snapshot comes later.
SELECT pg_is_in_recovery() AS standby, coalesce(pg_last_wal_replay_lsn() >= %(lsn)s::text::pg_lsn, false) AS reached
