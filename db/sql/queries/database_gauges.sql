-- Values that grow unnoticed: the used share of the NOTIFY queue, the size of the log, and its number of partitions.
SELECT pg_notification_queue_usage() AS queue, sum(pg_total_relation_size(i.inhrelid))::float8 AS log_bytes, count(*)::float8 AS partitions
FROM pg_inherits AS i WHERE i.inhparent = 'feed.log'::regclass
