CREATE VIEW feed.listeners AS
SELECT i.instance, i.service,
       i.beat > clock_timestamp() - interval '10 s' AS alive,
       i.ready, i.listens, i.connections,
       p.instance IS NOT NULL AS pacer,
       i.cursor, i.anchor, anchor.at AS anchor_at,
       i.sweeps, i.beat - i.swept AS idle,
       clock_timestamp() - i.beat AS silent, i.started,
       i.tailer_pid, concat_ws(' ', tailer.state, tailer.wait_event) AS tailer,
       i.listener_pid, concat_ws(' ', listener.state, listener.wait_event) AS listener, i.replica
FROM feed.instances AS i
LEFT JOIN feed.pacer AS p ON p.instance = i.instance AND p.until > clock_timestamp()
LEFT JOIN feed.log AS anchor ON anchor.seq = i.anchor
LEFT JOIN pg_stat_activity AS tailer ON tailer.pid = i.tailer_pid AND tailer.datname = current_database()
LEFT JOIN pg_stat_activity AS listener ON listener.pid = i.listener_pid AND listener.datname = current_database();
COMMENT ON VIEW feed.listeners IS 'The services that follow the log: how far each is, and the backends that it does it with.';
COMMENT ON COLUMN feed.listeners.instance IS 'As /readyz names it';
COMMENT ON COLUMN feed.listeners.service IS 'feed, or api: that has a feed of its own, for /api/events and its cache';
COMMENT ON COLUMN feed.listeners.alive IS 'It has said so within the last ten seconds. If not, it was killed, is stopped, or cannot reach the database; after five minutes it is forgotten';
COMMENT ON COLUMN feed.listeners.ready IS 'Whether a client should be sent there';
COMMENT ON COLUMN feed.listeners.listens IS 'Whether its LISTEN connection has heard itself';
COMMENT ON COLUMN feed.listeners.connections IS 'Open streams';
COMMENT ON COLUMN feed.listeners.pacer IS 'Whether it rings the doorbell in place of the writers; see feed.pacer';
COMMENT ON COLUMN feed.listeners.cursor IS 'What it had told its clients; see feed.parse_cursor, feed.has_seen';
COMMENT ON COLUMN feed.listeners.anchor IS 'The newest row of the log that the cursor has seen';
COMMENT ON COLUMN feed.listeners.anchor_at IS 'When that row was written: it stays while nobody writes. Whether it is behind, feed.lag says';
COMMENT ON COLUMN feed.listeners.sweeps IS 'How often it has read the log';
COMMENT ON COLUMN feed.listeners.idle IS 'How long before its last word it had last read the log: about a second at most (BOARDCAST_SWEEP)';
COMMENT ON COLUMN feed.listeners.silent IS 'How long ago its last word was: about two seconds at most';
COMMENT ON COLUMN feed.listeners.started IS 'When it began to follow the log';
COMMENT ON COLUMN feed.listeners.tailer_pid IS 'The backend that it reads the log with';
COMMENT ON COLUMN feed.listeners.tailer IS 'What that backend does, by pg_stat_activity. Empty: it is gone, or you may not see it (pg_read_all_stats)';
COMMENT ON COLUMN feed.listeners.listener_pid IS 'The backend that LISTENs for it';
COMMENT ON COLUMN feed.listeners.listener IS 'What that backend does. active ClientWrite for long: its reader does not take what it is sent, and the NOTIFY queue fills up';
COMMENT ON COLUMN feed.listeners.replica IS 'Whether it reads the log on its replica (used), or why on the primary: lagging, away, promoted, foreign. Null: it has none';
