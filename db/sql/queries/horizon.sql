-- What can be seen on the primary now, and two places in its WAL: what is flushed, which a standby can have, and the newest record, by
-- which all that can be seen has been written. They differ by who does not wait for his commit: he is seen before it is flushed.
-- The snapshot is made before either is read. A place on a new page is told as the end of the one before: so does a standby that has
-- replayed all up to there, and the header of a page is 40 bytes at most.
SELECT pg_current_snapshot()::text AS snapshot, pg_current_wal_flush_lsn()::text AS flushed,
       (w.lsn - CASE WHEN w.on_page <= 40 THEN w.on_page ELSE 0 END)::text AS written
FROM (SELECT i.lsn, mod(i.lsn - '0/0', current_setting('wal_block_size')::numeric) AS on_page
      FROM (SELECT pg_current_wal_insert_lsn() AS lsn OFFSET 0) AS i) AS w
