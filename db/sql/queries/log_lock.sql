-- Taken before the snapshot of a read that has several statements. A dropped partition is missing in older snapshots too,
-- while these do not show how far the log was pruned: the read would miss rows without noticing. A prune either waits for
-- this lock or finishes first.
LOCK TABLE ONLY feed.log IN ACCESS SHARE MODE
