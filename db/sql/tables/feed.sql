CREATE SEQUENCE feed.log_seq CACHE 1;
COMMENT ON SEQUENCE feed.log_seq IS 'The numbers of feed.log.seq. What is rolled back leaves gaps';

-- The log's era, and the transaction that it began with: read outside MVCC, so that each writer and each reader sees them as they
-- are. See feed.turn(), which alone sets them.
CREATE SEQUENCE feed.era CACHE 1;
CREATE SEQUENCE feed.era_xid MINVALUE 0 START 0 CACHE 1;
SELECT setval('feed.era', 1), setval('feed.era_xid', 0);
COMMENT ON SEQUENCE feed.era IS 'The partition of feed.log that is written to now: feed.log_<era>';
COMMENT ON SEQUENCE feed.era_xid IS
    'Transactions from this one on write into no earlier era than feed.era; the largest bigint: not known, look everywhere';

CREATE TABLE feed.log (
    seq bigint NOT NULL DEFAULT nextval('feed.log_seq'),
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- Before what differs in length: of a sweep's rows it is read without taking the whole row apart.
    era bigint NOT NULL DEFAULT pg_sequence_last_value('feed.era'),
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
    -- A default, so that capture need not name it. What is no W3C trace context is none: a write does not fail for it. Not asked by a
    -- regular expression, which takes four times as long.
    traceparent text DEFAULT CASE
        WHEN current_setting('feed.traceparent', true) LIKE '__-________________________________-________________-__'
            THEN CASE WHEN translate(current_setting('feed.traceparent', true), '0123456789abcdef', '') = '---'
                           AND left(current_setting('feed.traceparent', true), 2) <> 'ff'
                           AND substr(current_setting('feed.traceparent', true), 4, 32) <> repeat('0', 32)
                           AND substr(current_setting('feed.traceparent', true), 37, 16) <> repeat('0', 16)
                      THEN current_setting('feed.traceparent', true) END END,
    db_user text NOT NULL,
    application text,
    client_addr inet,
    pid integer NOT NULL,
    rang boolean NOT NULL DEFAULT true,
    PRIMARY KEY (seq, era)
) PARTITION BY RANGE (era);
-- With the era, so that asking for it is asking the index, and not each row.
CREATE INDEX log_xid ON feed.log (xid, era);
CREATE INDEX log_key ON feed.log (relation, key, seq);
COMMENT ON TABLE feed.log IS 'Every change of a fed table, in the transaction that made it. Append-only.';
COMMENT ON COLUMN feed.log.seq IS 'Order within a transaction';
COMMENT ON COLUMN feed.log.xid IS 'Top-level transaction';
COMMENT ON COLUMN feed.log.at IS 'When written';
COMMENT ON COLUMN feed.log.era IS 'The partition: feed.era as it was when the row was written';
COMMENT ON COLUMN feed.log.relation IS 'The table; schema.table outside public';
COMMENT ON COLUMN feed.log.op IS 'insert, update, delete, truncate; leave and enter: one UPDATE that moved the row to another board; reload: a repair of rows of which no reader would expect that version';
COMMENT ON COLUMN feed.log.key IS 'Primary key, as text; a JSON array of several columns';
COMMENT ON COLUMN feed.log.board IS 'The board whose readers are told';
COMMENT ON COLUMN feed.log.old IS 'The row before';
COMMENT ON COLUMN feed.log.new IS 'The row after';
COMMENT ON COLUMN feed.log.version IS 'version_number of the row, where it has one';
COMMENT ON COLUMN feed.log.parents IS 'feed.parents: the versions that this one was made of, where it is a merge or a restored one';
COMMENT ON COLUMN feed.log.actor IS 'feed.actor, else last_modified_by, else the database user';
COMMENT ON COLUMN feed.log.origin IS 'feed.origin: the request or the client''s mutation that made the write';
COMMENT ON COLUMN feed.log.traceparent IS 'feed.traceparent: the W3C trace context of the write, where its writer has one';
COMMENT ON COLUMN feed.log.db_user IS 'session_user';
COMMENT ON COLUMN feed.log.application IS 'application_name';
COMMENT ON COLUMN feed.log.client_addr IS 'Null over a Unix socket';
COMMENT ON COLUMN feed.log.pid IS 'Backend process';
COMMENT ON COLUMN feed.log.rang IS 'Whether the write rang the doorbell';
-- Whatever becomes of the partitions that are made ahead, a write has a place.
CREATE TABLE feed.log_default PARTITION OF feed.log DEFAULT;
COMMENT ON TABLE feed.log_default IS 'Rows of an era whose partition is missing: nothing, as long as nobody drops one by hand.';

CREATE TABLE feed.keeper (
    one boolean PRIMARY KEY DEFAULT true CONSTRAINT keeper_one CHECK (one),
    retention interval NOT NULL DEFAULT '90 days',
    turned timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE feed.keeper IS 'How long the log is kept. One row; who keeps the log holds its lock.';
COMMENT ON COLUMN feed.keeper.one IS 'There is one row';
COMMENT ON COLUMN feed.keeper.retention IS 'Older partitions of feed.log are dropped, by whatever service runs';
COMMENT ON COLUMN feed.keeper.turned IS 'When the era began';
INSERT INTO feed.keeper DEFAULT VALUES;

CREATE TABLE feed.identity (
    one boolean PRIMARY KEY DEFAULT true CONSTRAINT identity_one CHECK (one),
    feed_id text NOT NULL,
    system_identifier text NOT NULL,
    timeline text NOT NULL,
    renewed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    reason text NOT NULL,
    floor_seq bigint NOT NULL DEFAULT 0,
    floor_xid xid8 NOT NULL DEFAULT '0',
    first_era bigint NOT NULL DEFAULT 1,
    first_xid xid8 NOT NULL DEFAULT '0'
);
COMMENT ON TABLE feed.identity IS 'What the cursors of this feed must agree with. One row.';
COMMENT ON COLUMN feed.identity.one IS 'There is one row';
COMMENT ON COLUMN feed.identity.system_identifier IS 'The cluster that it was made on';
COMMENT ON COLUMN feed.identity.timeline IS 'The timeline of that, as the names of WAL files begin';
COMMENT ON COLUMN feed.identity.renewed_at IS 'When the id was made';
COMMENT ON COLUMN feed.identity.reason IS 'Why: install, another cluster, promotion, or what boardcast reset-feed was told';
COMMENT ON COLUMN feed.identity.feed_id IS 'First part of every cursor';
COMMENT ON COLUMN feed.identity.floor_seq IS 'The log up to here has been pruned';
COMMENT ON COLUMN feed.identity.floor_xid IS 'The largest xid among the pruned';
COMMENT ON COLUMN feed.identity.first_era IS 'Earlier eras were written in another cluster: their xids mean nothing here';
COMMENT ON COLUMN feed.identity.first_xid IS 'Where this cluster stood when the first era began';

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
COMMENT ON COLUMN feed.tickets.user_id IS 'Whose it is';
COMMENT ON COLUMN feed.tickets.name IS 'His name';
COMMENT ON COLUMN feed.tickets.roles IS 'What his token carries: dba';
COMMENT ON COLUMN feed.tickets.expires IS 'When the ticket does';
COMMENT ON COLUMN feed.tickets.session_expires IS 'When the token it was made from expires';

CREATE TABLE feed.adopted (
    relation text PRIMARY KEY,
    added jsonb NOT NULL
);
COMMENT ON TABLE feed.adopted IS 'Tables that were there before boardcast.';
COMMENT ON COLUMN feed.adopted.relation IS 'The table';
COMMENT ON COLUMN feed.adopted.added IS 'Columns that the installation added, and a removal takes away again';
