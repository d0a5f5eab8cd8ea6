-- What grows where nobody looks: the NOTIFY queue's share in use, the size of the log, and in how many partitions it is.
SELECT pg_notification_queue_usage() AS queue, sum(pg_total_relation_size(i.inhrelid))::float8 AS log_bytes, count(*)::float8 AS partitions
FROM pg_inherits AS i WHERE i.inhparent = 'feed.log'::regclass
