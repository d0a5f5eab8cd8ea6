-- Like log_lock.sql, for a page. After a TRUNCATE a table is empty in older snapshots too, so the page would report every
-- card as deleted, at a cursor that does not cover the TRUNCATE.
-- Completed by db/changelog/polling.py with the name of the table. Whether it is still that of the opportunities.
LOCK TABLE ONLY feed.log, ONLY {table}, ONLY feed.board_members IN ACCESS SHARE MODE;
SELECT to_regclass({name}) = feed.opportunities_table()
