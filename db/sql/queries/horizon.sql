-- What can be seen on the primary now, and a place in its WAL by which all of that has been written: the snapshot is made before the
-- place is read, and no change of the log is seen before its commit is flushed (capture does not let its writers commit sooner).
SELECT pg_current_snapshot()::text AS snapshot, pg_current_wal_flush_lsn()::text AS lsn
