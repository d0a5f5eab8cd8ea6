-- As log_lock.sql, for a page: whoever reads a table after a TRUNCATE finds it empty, in an older snapshot too, and would tell of each
-- card that it is gone, at a cursor that does not cover the TRUNCATE.
LOCK TABLE ONLY feed.log, ONLY opportunities, ONLY board_members IN ACCESS SHARE MODE
