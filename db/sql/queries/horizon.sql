-- What is visible on the primary now, and two WAL positions: how far WAL is flushed, which is what a standby can have
-- received, and the newest record, by which everything visible has been written. They differ because of asynchronous
-- commits, which are visible before they are flushed. The snapshot is taken before either position is read. A position at
-- the start of a page is returned as the end of the previous page, because that is what a standby reports after replaying
-- everything up to it; a page header has at most 40 bytes.
SELECT pg_current_snapshot()::text AS snapshot, pg_current_wal_flush_lsn()::text AS flushed,
       (w.lsn - CASE WHEN w.on_page <= 40 THEN w.on_page ELSE 0 END)::text AS written
FROM (SELECT i.lsn, mod(i.lsn - '0/0', current_setting('wal_block_size')::numeric) AS on_page
      FROM (SELECT pg_current_wal_insert_lsn() AS lsn OFFSET 0) AS i) AS w
