CREATE VIEW feed.instance_status AS
SELECT i.instance, i.service,
       i.reported_at > clock_timestamp() - interval '10 s' AS alive,
       i.ready, i.listens, i.connections,
       p.instance IS NOT NULL AS pacer,
       i.cursor, i.anchor, anchor.at AS anchor_at,
       i.reads, i.reported_at - i.read_at AS since_read,
       clock_timestamp() - i.reported_at AS since_report, i.started,
       i.tailer_pid, concat_ws(' ', tailer.state, tailer.wait_event) AS tailer,
       i.listener_pid, concat_ws(' ', listener.state, listener.wait_event) AS listener, i.replica
FROM feed.instances AS i
LEFT JOIN feed.pacer AS p ON p.instance = i.instance AND p.until > clock_timestamp()
LEFT JOIN feed.log AS anchor ON anchor.seq = i.anchor
LEFT JOIN pg_stat_activity AS tailer ON tailer.pid = i.tailer_pid AND tailer.datname = current_database()
LEFT JOIN pg_stat_activity AS listener ON listener.pid = i.listener_pid AND listener.datname = current_database();
COMMENT ON VIEW feed.instance_status IS
    'The service instances that follow the log: how far each has read, and which backends it uses.';
COMMENT ON COLUMN feed.instance_status.instance IS 'Name of the instance, as in /readyz';
COMMENT ON COLUMN feed.instance_status.service IS
    'feed or api. An api instance follows the log too, for /api/events and its cache.';
COMMENT ON COLUMN feed.instance_status.alive IS
    'Whether it reported within the last ten seconds. If not, it was killed, is stopped, or cannot reach the database. After five minutes its row is removed.';
COMMENT ON COLUMN feed.instance_status.ready IS 'Whether load balancers should send clients to it';
COMMENT ON COLUMN feed.instance_status.listens IS 'Whether its LISTEN connection has received its own test notification';
COMMENT ON COLUMN feed.instance_status.connections IS 'Open streams';
COMMENT ON COLUMN feed.instance_status.pacer IS
    'Whether it holds the pacer''s lease and sends NOTIFY in place of the writers under load; see feed.pacer';
COMMENT ON COLUMN feed.instance_status.cursor IS 'What it had delivered to its clients; see feed.parse_cursor and feed.has_seen';
COMMENT ON COLUMN feed.instance_status.anchor IS 'Newest row of the log that the cursor covers';
COMMENT ON COLUMN feed.instance_status.anchor_at IS
    'When that row was written. It does not advance while nobody writes; see feed.lag for whether the instance is behind.';
COMMENT ON COLUMN feed.instance_status.reads IS 'How many read passes it has made';
COMMENT ON COLUMN feed.instance_status.since_read IS
    'Time between its last read pass and its last report; normally about a second at most (BOARDCAST_READ_INTERVAL)';
COMMENT ON COLUMN feed.instance_status.since_report IS 'Time since its last report; normally about two seconds at most';
COMMENT ON COLUMN feed.instance_status.started IS 'When it started to follow the log';
COMMENT ON COLUMN feed.instance_status.tailer_pid IS 'Backend with which it reads the log';
COMMENT ON COLUMN feed.instance_status.tailer IS
    'State of that backend, from pg_stat_activity. Empty: it is gone, or you may not see it (pg_read_all_stats).';
COMMENT ON COLUMN feed.instance_status.listener_pid IS 'Backend of its LISTEN connection';
COMMENT ON COLUMN feed.instance_status.listener IS
    'State of that backend. If it stays at active ClientWrite, the instance does not read its notifications, and the NOTIFY queue fills up.';
COMMENT ON COLUMN feed.instance_status.replica IS
    'used: it reads the log on its replica. Otherwise why it reads on the primary: lagging, away, promoted, foreign. Null: it has no replica.';
