CREATE TABLE feed.attached (
    relation regclass PRIMARY KEY,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    attached_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    attached_by text NOT NULL DEFAULT session_user
);
COMMENT ON TABLE feed.attached IS
    'When each table was attached. Changes made before that are not in the log, and do not have to be.';
COMMENT ON COLUMN feed.attached.relation IS 'The table';
COMMENT ON COLUMN feed.attached.xid IS
    'Newest transaction that may have written to the table before it was attached; usually the transaction that attached it';
COMMENT ON COLUMN feed.attached.attached_at IS 'When the table was attached';
COMMENT ON COLUMN feed.attached.attached_by IS 'session_user who attached it';
