-- The first changes of the transaction that made this one.
SELECT o.seq FROM feed.log AS l JOIN feed.log AS o ON o.xid = l.xid WHERE l.seq = %(seq)s ORDER BY o.seq LIMIT %(limit)s
