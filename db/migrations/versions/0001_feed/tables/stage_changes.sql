-- Read from the log, by feed.read_stage_changes, so that writers pay nothing for it, and so that it lasts longer than the log.
CREATE TABLE feed.stage_changes (
    board_id text NOT NULL,
    opportunity_id text NOT NULL,
    seq bigint NOT NULL,
    at timestamptz NOT NULL,
    from_phase text,
    to_phase text,
    PRIMARY KEY (board_id, opportunity_id, seq) INCLUDE (at, from_phase, to_phase)
);
COMMENT ON TABLE feed.stage_changes IS
    'Each change of the stage of an opportunity, copied from feed.log by feed.read_stage_changes. Not pruned with the log.';
COMMENT ON COLUMN feed.stage_changes.board_id IS 'The board';
COMMENT ON COLUMN feed.stage_changes.opportunity_id IS 'The opportunity, as feed.log.key';
COMMENT ON COLUMN feed.stage_changes.seq IS 'feed.log.seq of the change; 0: the opportunity was there when its table was attached';
COMMENT ON COLUMN feed.stage_changes.at IS 'feed.log.at of the change';
COMMENT ON COLUMN feed.stage_changes.from_phase IS 'The stage before it; null: it was not on the board';
COMMENT ON COLUMN feed.stage_changes.to_phase IS 'The stage after it; null: it is no longer on the board';

CREATE TABLE feed.stage_reader (
    one boolean PRIMARY KEY DEFAULT true CONSTRAINT stage_reader_one CHECK (one),
    position pg_snapshot NOT NULL DEFAULT '3:3:',
    first_partition bigint NOT NULL DEFAULT 1,
    has_start boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE feed.stage_reader IS 'How far feed.read_stage_changes has read the log. One row.';
COMMENT ON COLUMN feed.stage_reader.one IS 'Always true: the table has one row';
COMMENT ON COLUMN feed.stage_reader.position IS 'What it has read: the transactions that this snapshot shows';
COMMENT ON COLUMN feed.stage_reader.first_partition IS 'feed.identity.first_partition as it was then: if it has changed, the position means nothing';
COMMENT ON COLUMN feed.stage_reader.has_start IS 'Whether feed.stage_changes has the opportunities that were there when their table was attached';
INSERT INTO feed.stage_reader DEFAULT VALUES;
