-- Like log_lock.sql, for a page. After a TRUNCATE a table is empty in older snapshots too, so the page would report every
-- card as deleted, at a cursor that does not cover the TRUNCATE.
LOCK TABLE ONLY feed.log, ONLY opportunities, ONLY board_members IN ACCESS SHARE MODE
