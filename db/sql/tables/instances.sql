CREATE UNLOGGED TABLE feed.instances (
    instance text PRIMARY KEY,
    service text NOT NULL,
    started timestamptz NOT NULL,
    reported_at timestamptz NOT NULL,
    read_at timestamptz,
    reads bigint NOT NULL,
    cursor text NOT NULL,
    anchor bigint NOT NULL,
    connections integer NOT NULL,
    listens boolean NOT NULL,
    ready boolean NOT NULL,
    tailer_pid integer,
    listener_pid integer,
    client_positions jsonb NOT NULL,
    replica text
);
COMMENT ON TABLE feed.instances IS
    'The running service instances. Each one renews its row every two seconds and removes it when it stops. See feed.instance_status.';
COMMENT ON COLUMN feed.instances.instance IS 'Name of the instance, as in /readyz';
COMMENT ON COLUMN feed.instances.service IS 'feed or api. An api instance follows the log too, for /api/events and its cache.';
COMMENT ON COLUMN feed.instances.started IS 'When it started to follow the log';
COMMENT ON COLUMN feed.instances.reported_at IS
    'When it last reported. It counts as dead after ten seconds without a report; its row is removed after five minutes.';
COMMENT ON COLUMN feed.instances.read_at IS 'When it last read the log to the end; null: not yet';
COMMENT ON COLUMN feed.instances.reads IS 'How many read passes it has made';
COMMENT ON COLUMN feed.instances.cursor IS 'What it had delivered to its clients: everything that this cursor covers';
COMMENT ON COLUMN feed.instances.anchor IS 'Newest row of the log that the cursor covers';
COMMENT ON COLUMN feed.instances.connections IS 'Open streams';
COMMENT ON COLUMN feed.instances.listens IS 'Whether its LISTEN connection has received its own test notification';
COMMENT ON COLUMN feed.instances.ready IS 'Whether load balancers should send clients to it';
COMMENT ON COLUMN feed.instances.tailer_pid IS 'Backend with which it reads the log; null: none at the moment';
COMMENT ON COLUMN feed.instances.listener_pid IS 'Backend of its LISTEN connection; null: none at the moment';
COMMENT ON COLUMN feed.instances.client_positions IS
    'Cursors that its clients have confirmed, with the number of clients and the seconds before reported_at. See feed.client_positions.';
COMMENT ON COLUMN feed.instances.replica IS
    'used: it reads the log on its replica. Otherwise why it reads on the primary: lagging, away, promoted, foreign. Null: it has no replica or has not checked it yet.';
