CREATE SEQUENCE feed.log_seq CACHE 1;
CREATE TABLE feed.log (
    seq bigint PRIMARY KEY DEFAULT nextval('feed.log_seq'),
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    relation text NOT NULL,
    op text NOT NULL,
    key text,
    board text,
    old jsonb,
    new jsonb,
    version integer,
    parents integer[],
    actor text NOT NULL,
    origin text,
    db_user text NOT NULL,
    application text,
    client_addr inet,
    pid integer NOT NULL,
    rang boolean NOT NULL DEFAULT true
);
CREATE INDEX log_xid ON feed.log (xid);
CREATE INDEX log_key ON feed.log (relation, key, seq);
CREATE INDEX log_at ON feed.log USING brin (at);
COMMENT ON TABLE feed.log IS 'Every change of a fed table, in the transaction that made it. Append-only.';
COMMENT ON COLUMN feed.log.seq IS 'Order within a transaction';
COMMENT ON COLUMN feed.log.xid IS 'Top-level transaction';
COMMENT ON COLUMN feed.log.at IS 'When written';
COMMENT ON COLUMN feed.log.relation IS 'The table; schema.table outside public';
COMMENT ON COLUMN feed.log.op IS 'insert, update, delete, truncate; leave and enter: one UPDATE that moved the row to another board';
COMMENT ON COLUMN feed.log.key IS 'Primary key, as text; a JSON array of several columns';
COMMENT ON COLUMN feed.log.board IS 'The board whose readers are told';
COMMENT ON COLUMN feed.log.old IS 'The row before';
COMMENT ON COLUMN feed.log.new IS 'The row after';
COMMENT ON COLUMN feed.log.version IS 'version_number of the row, where it has one';
COMMENT ON COLUMN feed.log.parents IS 'feed.parents: the versions that this one was made of, where it is a merge or a restored one';
COMMENT ON COLUMN feed.log.actor IS 'feed.actor, else last_modified_by, else the database user';
COMMENT ON COLUMN feed.log.origin IS 'feed.origin: the request or the client''s mutation that made the write';
COMMENT ON COLUMN feed.log.db_user IS 'session_user';
COMMENT ON COLUMN feed.log.application IS 'application_name';
COMMENT ON COLUMN feed.log.client_addr IS 'Null over a Unix socket';
COMMENT ON COLUMN feed.log.pid IS 'Backend process';
COMMENT ON COLUMN feed.log.rang IS 'Whether the write rang the doorbell';

CREATE TABLE feed.identity (
    one boolean PRIMARY KEY DEFAULT true CONSTRAINT identity_one CHECK (one),
    feed_id text NOT NULL,
    system_identifier text NOT NULL,
    timeline text NOT NULL,
    renewed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    reason text NOT NULL,
    floor_seq bigint NOT NULL DEFAULT 0,
    floor_xid xid8 NOT NULL DEFAULT '0'
);
COMMENT ON TABLE feed.identity IS 'What the cursors of this feed must agree with. One row.';
COMMENT ON COLUMN feed.identity.feed_id IS 'First part of every cursor';
COMMENT ON COLUMN feed.identity.floor_seq IS 'The log up to here has been pruned';
COMMENT ON COLUMN feed.identity.floor_xid IS 'The largest xid among the pruned';

CREATE UNLOGGED TABLE feed.tickets (
    hash text PRIMARY KEY,
    user_id text NOT NULL,
    name text NOT NULL,
    roles jsonb NOT NULL,
    session_expires timestamptz NOT NULL,
    expires timestamptz NOT NULL
);
COMMENT ON TABLE feed.tickets IS 'Single-use tickets for EventSource, which cannot send a header.';
COMMENT ON COLUMN feed.tickets.hash IS 'SHA-256 of the ticket';
COMMENT ON COLUMN feed.tickets.session_expires IS 'When the token it was made from expires';

CREATE TABLE feed.adopted (
    relation text PRIMARY KEY,
    added jsonb NOT NULL
);
COMMENT ON TABLE feed.adopted IS 'Tables that were there before boardcast.';
COMMENT ON COLUMN feed.adopted.added IS 'Columns that the installation added, and a removal takes away again';
