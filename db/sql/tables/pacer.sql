-- Until when writers need not ring the doorbell. A sequence, since its value is read and written outside MVCC: a REPEATABLE READ
-- writer sees it as it is, it waits for nobody, and no rollback takes it back. Unlogged, so a crash and a failover begin without one.
CREATE UNLOGGED SEQUENCE feed.pulse MINVALUE 0 START 0;
COMMENT ON SEQUENCE feed.pulse IS
    'The log is swept every few milliseconds until this time (ms since 1970, by clock_timestamp()): writers do not ring before it. 9007199254740991: they never do.';

CREATE TABLE feed.pacer (
    one boolean PRIMARY KEY DEFAULT true CONSTRAINT pacer_one CHECK (one),
    instance text NOT NULL DEFAULT '',
    pid integer,
    until timestamptz NOT NULL DEFAULT clock_timestamp(),
    mode text NOT NULL DEFAULT 'calm',
    rung bigint NOT NULL DEFAULT 0,
    since timestamptz NOT NULL DEFAULT clock_timestamp(),
    silent boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE feed.pacer IS 'Which instance rings the doorbell in place of the writers when they are many. One row: a lease.';
COMMENT ON COLUMN feed.pacer.one IS 'There is one row';
COMMENT ON COLUMN feed.pacer.instance IS 'Who holds the lease; as /readyz names it. Empty when it was given back';
COMMENT ON COLUMN feed.pacer.pid IS 'Backend process of its connection';
COMMENT ON COLUMN feed.pacer.until IS 'When the lease runs out: then there is no pacer, and every write rings';
COMMENT ON COLUMN feed.pacer.mode IS
    'calm: writers ring; busy, tick: the pacer rings; calming: writers ring, and the pacer waits for those that did not; silent: nobody rings';
COMMENT ON COLUMN feed.pacer.rung IS 'How often pacers have rung, since the installation';
COMMENT ON COLUMN feed.pacer.since IS 'When this mode, or this lease, began';
COMMENT ON COLUMN feed.pacer.silent IS 'The bell is switched off, see feed.set_bell: in this row, since the pulse is moved under its lock alone';
INSERT INTO feed.pacer DEFAULT VALUES;
