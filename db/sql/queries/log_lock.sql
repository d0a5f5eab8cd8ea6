-- Before the snapshot of a read that has several statements. A partition that is dropped is gone in older snapshots too, which do not
-- show how far the log was pruned: the read would lack rows and not know it. Whoever prunes waits for this lock, or is waited for.
LOCK TABLE ONLY feed.log IN ACCESS SHARE MODE
