-- Values that the database keeps no history of.
SELECT pg_notification_queue_usage() AS queue,
       (SELECT sum(pg_total_relation_size(i.inhrelid)) FROM pg_inherits AS i WHERE i.inhparent = 'feed.log'::regclass)::bigint AS log_bytes,
       coalesce((SELECT sum(n.connections) FROM feed.instances AS n WHERE n.reported_at > clock_timestamp() - interval '10 s'), 0)::int AS connections
