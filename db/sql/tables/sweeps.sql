CREATE UNLOGGED TABLE feed.sweeps (
    instance text NOT NULL,
    read timestamptz NOT NULL,
    told timestamptz NOT NULL,
    since text NOT NULL,
    cursor text NOT NULL,
    sweeps integer NOT NULL,
    events integer NOT NULL,
    deliveries bigint NOT NULL,
    clients integer NOT NULL,
    late integer NOT NULL,
    boards jsonb
);
CREATE INDEX sweeps_told ON feed.sweeps (told);
COMMENT ON TABLE feed.sweeps IS 'When each service has told what: a row for a sweep that found something, or for some of them where they are many. Kept for an hour. See feed.explain.';
COMMENT ON COLUMN feed.sweeps.instance IS 'As /readyz names it';
COMMENT ON COLUMN feed.sweeps.read IS 'When it had the rows; of several sweeps, those of the first';
COMMENT ON COLUMN feed.sweeps.told IS 'When all clients that were live had been written to; of several sweeps, by the last';
COMMENT ON COLUMN feed.sweeps.since IS 'What had been told before: all that this cursor has seen';
COMMENT ON COLUMN feed.sweeps.cursor IS 'What had been told then: all that this cursor has seen';
COMMENT ON COLUMN feed.sweeps.sweeps IS 'How many sweeps this row stands for';
COMMENT ON COLUMN feed.sweeps.events IS 'What they found';
COMMENT ON COLUMN feed.sweeps.deliveries IS 'Events written to live clients: one for each of them';
COMMENT ON COLUMN feed.sweeps.clients IS 'Open streams at the end, with those that were being caught up';
COMMENT ON COLUMN feed.sweeps.late IS 'Clients that had too much unread to take it: told again from the log, when they have read';
COMMENT ON COLUMN feed.sweeps.boards IS 'How many live clients were told of each board; null where there were too many boards';
