CREATE SEQUENCE feed.log_seq CACHE 1;
COMMENT ON SEQUENCE feed.log_seq IS 'Source of feed.log.seq. Rolled-back transactions leave gaps.';

-- The partition that is being written and the transaction that it starts with. They are sequences so that they are read
-- outside MVCC: every writer and reader sees the current value. Only feed.rotate_partition() sets them.
CREATE SEQUENCE feed.partition_number CACHE 1;
CREATE SEQUENCE feed.partition_xid MINVALUE 0 START 0 CACHE 1;
SELECT setval('feed.partition_number', 1), setval('feed.partition_xid', 0);
COMMENT ON SEQUENCE feed.partition_number IS 'Number of the partition of feed.log that is being written (feed.log_<number>).';
COMMENT ON SEQUENCE feed.partition_xid IS
    'Transactions with this ID or a later one do not write to partitions before feed.partition_number. The largest bigint means that the ID is not known yet, so readers search all partitions.';

CREATE TABLE feed.log (
    seq bigint NOT NULL DEFAULT nextval('feed.log_seq'),
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- Stored before the variable-length columns, so that a read pass gets it without deforming the whole row.
    partition_number bigint NOT NULL DEFAULT pg_sequence_last_value('feed.partition_number'),
    relation text NOT NULL,
    op text NOT NULL,
    key text,
    board text,
    old jsonb,
    new jsonb,
    delta integer,
    image_hash bigint,
    version integer,
    parents integer[],
    actor text NOT NULL,
    origin text,
    -- A default, so that feed.capture() does not have to set it. Readers ignore what is not a W3C trace context: to check it here
    -- would cost each write as much as a trigger.
    traceparent text DEFAULT left(current_setting('feed.traceparent', true), 56),
    db_user text NOT NULL,
    application text,
    client_addr inet,
    pid integer NOT NULL,
    notified boolean NOT NULL DEFAULT true,
    image_bytes integer,
    PRIMARY KEY (seq, partition_number)
) PARTITION BY RANGE (partition_number);
-- Includes partition_number, so that a condition on it is checked in the index and not in each row.
CREATE INDEX log_xid ON feed.log (xid, partition_number);
CREATE INDEX log_key ON feed.log (relation, key, seq);
COMMENT ON TABLE feed.log IS
    'The change log: one row for each change of an attached table, written in the same transaction as the change. Append-only.';
COMMENT ON COLUMN feed.log.seq IS 'Sequence number. It gives the order of changes within a transaction.';
COMMENT ON COLUMN feed.log.xid IS 'Top-level transaction ID';
COMMENT ON COLUMN feed.log.at IS 'When the row was written (clock_timestamp)';
COMMENT ON COLUMN feed.log.partition_number IS 'Partition key: the value of feed.partition_number when the row was written';
COMMENT ON COLUMN feed.log.relation IS 'The table. Qualified with its schema unless that is public.';
COMMENT ON COLUMN feed.log.op IS
    'insert, update, delete or truncate; leave and enter: one UPDATE that moved the row to another board; reload: a repair after which readers must load the table again, because the versions do not follow on from one another';
COMMENT ON COLUMN feed.log.key IS 'Primary key as text; a JSON array if it has several columns';
COMMENT ON COLUMN feed.log.board IS 'Board whose clients receive the change; null: none';
COMMENT ON COLUMN feed.log.old IS 'The row before the change; if delta is set, only the columns that changed, or more. See feed.trigger_log for whole rows.';
COMMENT ON COLUMN feed.log.new IS 'The row after the change; if delta is set, only the columns that changed, or more. See feed.trigger_log for whole rows.';
COMMENT ON COLUMN feed.log.delta IS
    'Null: old and new are whole rows. For an update of a large row: how many changes since the last whole row; 0: new is whole, and old has the changed columns (for leave: the reverse). See feed.compact_change.';
COMMENT ON COLUMN feed.log.image_hash IS 'If delta is greater than 0: jsonb_hash_extended(row after the change, 0)';
COMMENT ON COLUMN feed.log.version IS 'version_number of the row, if the table has that column';
COMMENT ON COLUMN feed.log.parents IS
    'feed.parents: the versions that this one was merged or restored from; null for other changes';
COMMENT ON COLUMN feed.log.actor IS 'feed.actor; otherwise last_modified_by; otherwise the database user';
COMMENT ON COLUMN feed.log.origin IS 'feed.origin: the request or client mutation that made the write';
COMMENT ON COLUMN feed.log.traceparent IS 'feed.traceparent: W3C trace context of the write, if the writer set one';
COMMENT ON COLUMN feed.log.db_user IS 'session_user';
COMMENT ON COLUMN feed.log.application IS 'application_name';
COMMENT ON COLUMN feed.log.client_addr IS 'Client address; null for a Unix socket';
COMMENT ON COLUMN feed.log.pid IS 'Process ID of the backend';
COMMENT ON COLUMN feed.log.notified IS 'Whether the writing transaction sent NOTIFY';
COMMENT ON COLUMN feed.log.image_bytes IS
    'Bytes of the larger of old and new before compression, if more than 64 KiB; otherwise, and for deletions, null. Readers need it to leave out what is too large for a message without reading it.';
-- Accepts rows even if the partition that should hold them is missing.
CREATE TABLE feed.log_default PARTITION OF feed.log DEFAULT;
COMMENT ON TABLE feed.log_default IS
    'Rows whose partition is missing. Empty unless a partition was dropped or detached by hand.';

CREATE TABLE feed.maintenance (
    one boolean PRIMARY KEY DEFAULT true CONSTRAINT maintenance_one CHECK (one),
    retention interval NOT NULL DEFAULT '90 days',
    rotated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE feed.maintenance IS
    'Retention of the log. One row; feed.maintain() locks it, so that only one session maintains the log at a time.';
COMMENT ON COLUMN feed.maintenance.one IS 'Always true: the table has one row';
COMMENT ON COLUMN feed.maintenance.retention IS 'Partitions of feed.log older than this are dropped';
COMMENT ON COLUMN feed.maintenance.rotated_at IS 'When the current partition was started';
INSERT INTO feed.maintenance DEFAULT VALUES;

CREATE TABLE feed.identity (
    one boolean PRIMARY KEY DEFAULT true CONSTRAINT identity_one CHECK (one),
    feed_id text NOT NULL,
    system_identifier text NOT NULL,
    timeline text NOT NULL,
    renewed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    reason text NOT NULL,
    floor_seq bigint NOT NULL DEFAULT 0,
    floor_xid xid8 NOT NULL DEFAULT '0',
    first_partition bigint NOT NULL DEFAULT 1,
    first_xid xid8 NOT NULL DEFAULT '0'
);
COMMENT ON TABLE feed.identity IS 'What the cursors of this feed are checked against. One row.';
COMMENT ON COLUMN feed.identity.one IS 'Always true: the table has one row';
COMMENT ON COLUMN feed.identity.system_identifier IS 'System identifier of the cluster on which the ID was made';
COMMENT ON COLUMN feed.identity.timeline IS
    'Timeline on which the ID was made: the first 8 characters of the names of its WAL files';
COMMENT ON COLUMN feed.identity.renewed_at IS 'When the ID was made';
COMMENT ON COLUMN feed.identity.reason IS
    'Why the ID was made: install, another cluster, promotion, capture was off, or the reason given to boardcast reset-feed';
COMMENT ON COLUMN feed.identity.feed_id IS 'First part of every cursor';
COMMENT ON COLUMN feed.identity.floor_seq IS 'The log has been pruned up to this sequence number';
COMMENT ON COLUMN feed.identity.floor_xid IS 'Largest transaction ID among the pruned rows';
COMMENT ON COLUMN feed.identity.first_partition IS
    'Partitions before this one were written in another cluster, so their transaction IDs mean nothing here';
COMMENT ON COLUMN feed.identity.first_xid IS 'Where the transaction IDs of this cluster stood when first_partition was started';

CREATE UNLOGGED TABLE feed.tickets (
    hash text PRIMARY KEY,
    user_id text NOT NULL,
    name text NOT NULL,
    roles jsonb NOT NULL,
    session_expires timestamptz NOT NULL,
    expires timestamptz NOT NULL
);
COMMENT ON TABLE feed.tickets IS 'Single-use tickets for EventSource, which cannot send an Authorization header.';
COMMENT ON COLUMN feed.tickets.hash IS 'SHA-256 of the ticket';
COMMENT ON COLUMN feed.tickets.user_id IS 'User to whom the ticket was issued';
COMMENT ON COLUMN feed.tickets.name IS 'Name of the user';
COMMENT ON COLUMN feed.tickets.roles IS 'Roles from the user''s token, such as dba';
COMMENT ON COLUMN feed.tickets.expires IS 'When the ticket expires';
COMMENT ON COLUMN feed.tickets.session_expires IS 'When the token that was exchanged for the ticket expires';
