CREATE TABLE feed.attached (
    relation regclass PRIMARY KEY,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    who text NOT NULL DEFAULT session_user
);
COMMENT ON TABLE feed.attached IS 'Since when each table is fed: what was written before is in no log, and need not be.';
COMMENT ON COLUMN feed.attached.relation IS 'The table';
COMMENT ON COLUMN feed.attached.xid IS 'The newest transaction that may have written to it before; mostly the one that put the feed on it';
COMMENT ON COLUMN feed.attached.at IS 'When that was';
COMMENT ON COLUMN feed.attached.who IS 'session_user of who did it';
