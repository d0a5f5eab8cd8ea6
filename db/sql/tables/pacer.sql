-- Until when writers may skip NOTIFY. A sequence is read and written outside MVCC: a REPEATABLE READ writer sees the
-- current value, access never waits, and no rollback undoes it. It is unlogged, so it is reset by a crash or a failover.
CREATE UNLOGGED SEQUENCE feed.notify_suppressed_until MINVALUE 0 START 0;
COMMENT ON SEQUENCE feed.notify_suppressed_until IS
    'Writers skip NOTIFY until this time (milliseconds since 1970, by clock_timestamp), because the pacer reads the log every few milliseconds and sends NOTIFY for them. 9007199254740991: NOTIFY is switched off.';

CREATE TABLE feed.pacer (
    one boolean PRIMARY KEY DEFAULT true CONSTRAINT pacer_one CHECK (one),
    instance text NOT NULL DEFAULT '',
    pid integer,
    until timestamptz NOT NULL DEFAULT clock_timestamp(),
    mode text NOT NULL DEFAULT 'direct',
    notifications bigint NOT NULL DEFAULT 0,
    since timestamptz NOT NULL DEFAULT clock_timestamp(),
    muted boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE feed.pacer IS
    'The instance that sends NOTIFY in place of the writers while there are many of them. One row, which is a lease.';
COMMENT ON COLUMN feed.pacer.one IS 'Always true: the table has one row';
COMMENT ON COLUMN feed.pacer.instance IS 'Instance that holds the lease, named as in /readyz; empty after it was given back';
COMMENT ON COLUMN feed.pacer.pid IS 'Backend process of the holder''s connection';
COMMENT ON COLUMN feed.pacer.until IS 'When the lease expires. After that there is no pacer, and every write sends NOTIFY.';
COMMENT ON COLUMN feed.pacer.mode IS
    'direct: writers send NOTIFY; coalesced: the pacer sends it; draining: writers send it, and the pacer waits for the transactions that skipped it; muted: it is not sent';
COMMENT ON COLUMN feed.pacer.notifications IS 'How many NOTIFYs pacers have sent since the installation';
COMMENT ON COLUMN feed.pacer.since IS 'When this mode or this lease began';
COMMENT ON COLUMN feed.pacer.muted IS
    'NOTIFY is switched off (feed.set_notify). Stored in this row because feed.notify_suppressed_until is only set under its lock.';
INSERT INTO feed.pacer DEFAULT VALUES;
