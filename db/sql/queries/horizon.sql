-- What can be seen on the primary now, and a place in its WAL by which all of that has been written: the snapshot is made before the
-- place is read. The place is that of the newest record, not of the newest that is flushed: a writer who sets synchronous_commit = off
-- after his write is seen before his commit is flushed. On a new page it is told as the end of the one before, for that is what a
-- standby says that has replayed all of it, and not the page's header (40 bytes at most).
SELECT pg_current_snapshot()::text AS snapshot, (w.lsn - CASE WHEN w.on_page <= 40 THEN w.on_page ELSE 0 END)::text AS lsn
FROM (SELECT i.lsn, mod(i.lsn - '0/0', current_setting('wal_block_size')::numeric) AS on_page
      FROM (SELECT pg_current_wal_insert_lsn() AS lsn OFFSET 0) AS i) AS w
