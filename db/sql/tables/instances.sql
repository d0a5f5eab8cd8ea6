CREATE UNLOGGED TABLE feed.instances (
    instance text PRIMARY KEY,
    service text NOT NULL,
    started timestamptz NOT NULL,
    beat timestamptz NOT NULL,
    swept timestamptz,
    sweeps bigint NOT NULL,
    cursor text NOT NULL,
    anchor bigint NOT NULL,
    connections integer NOT NULL,
    listens boolean NOT NULL,
    ready boolean NOT NULL,
    tailer_pid integer,
    listener_pid integer,
    acks jsonb NOT NULL,
    replica text
);
COMMENT ON TABLE feed.instances IS 'The services that run, each by itself: a row that is renewed every two seconds and taken away at the end. See feed.listeners.';
COMMENT ON COLUMN feed.instances.instance IS 'As /readyz names it';
COMMENT ON COLUMN feed.instances.service IS 'feed, or api: that has a feed of its own, for /api/events and its cache';
COMMENT ON COLUMN feed.instances.started IS 'When it began to follow the log';
COMMENT ON COLUMN feed.instances.beat IS 'When it said all this; it is given up after ten seconds of silence, and forgotten after five minutes';
COMMENT ON COLUMN feed.instances.swept IS 'When it had last read the log to its end; null before the first time';
COMMENT ON COLUMN feed.instances.sweeps IS 'How often it has read the log';
COMMENT ON COLUMN feed.instances.cursor IS 'What it had told its clients: all that this cursor has seen';
COMMENT ON COLUMN feed.instances.anchor IS 'The newest row of the log that the cursor has seen';
COMMENT ON COLUMN feed.instances.connections IS 'Open streams';
COMMENT ON COLUMN feed.instances.listens IS 'Whether its LISTEN connection has heard itself';
COMMENT ON COLUMN feed.instances.ready IS 'Whether a client should be sent there';
COMMENT ON COLUMN feed.instances.tailer_pid IS 'The backend that it reads the log with; null while it has none';
COMMENT ON COLUMN feed.instances.listener_pid IS 'The backend that LISTENs for it; null while it has none';
COMMENT ON COLUMN feed.instances.acks IS 'The cursors that its clients have shown, with how many of them and how many seconds before the beat. See feed.acks';
COMMENT ON COLUMN feed.instances.replica IS 'Whether it reads the log on its replica (used), or why on the primary: lagging, away, promoted, foreign. Null: it has none, or has not looked yet';
