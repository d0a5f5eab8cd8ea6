CREATE UNLOGGED TABLE feed.delivery_journal (
    instance text NOT NULL,
    read_at timestamptz NOT NULL,
    delivered_at timestamptz NOT NULL,
    since text NOT NULL,
    cursor text NOT NULL,
    reads integer NOT NULL,
    events integer NOT NULL,
    deliveries bigint NOT NULL,
    clients integer NOT NULL,
    late integer NOT NULL,
    boards jsonb
);
CREATE INDEX delivery_journal_delivered ON feed.delivery_journal (delivered_at);
COMMENT ON TABLE feed.delivery_journal IS
    'When each instance delivered what. One row for a read pass that found changes, or for several passes if there are many. Kept for an hour. See feed.explain.';
COMMENT ON COLUMN feed.delivery_journal.instance IS 'Name of the instance, as in /readyz';
COMMENT ON COLUMN feed.delivery_journal.read_at IS 'When it had read the rows; for several passes, those of the first';
COMMENT ON COLUMN feed.delivery_journal.delivered_at IS
    'When it had written to all live clients; for several passes, after the last';
COMMENT ON COLUMN feed.delivery_journal.since IS 'What had been delivered before: everything that this cursor covers';
COMMENT ON COLUMN feed.delivery_journal.cursor IS 'What had been delivered after: everything that this cursor covers';
COMMENT ON COLUMN feed.delivery_journal.reads IS 'Number of read passes that this row summarizes';
COMMENT ON COLUMN feed.delivery_journal.events IS 'Number of changes that they found';
COMMENT ON COLUMN feed.delivery_journal.deliveries IS 'Number of events written to live clients, counted for each client';
COMMENT ON COLUMN feed.delivery_journal.clients IS 'Open streams at the end, including those that were catching up';
COMMENT ON COLUMN feed.delivery_journal.late IS
    'Clients that had too much unread data to take more. They get these changes from the log once they have read it.';
COMMENT ON COLUMN feed.delivery_journal.boards IS 'Number of live clients that received something, by board; null: too many boards';
