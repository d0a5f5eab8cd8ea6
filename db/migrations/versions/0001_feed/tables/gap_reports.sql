CREATE TABLE feed.gap_reports (
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    instance text NOT NULL,
    user_id text,
    connection text,
    board text NOT NULL,
    cursor text NOT NULL,
    expected_count bigint NOT NULL,
    expected_hash text NOT NULL,
    held_count bigint NOT NULL,
    held_hash text NOT NULL,
    cause text NOT NULL,
    cards text[] NOT NULL
);
CREATE INDEX gap_reports_at ON feed.gap_reports (at);
COMMENT ON TABLE feed.gap_reports IS 'Checkpoints that did not match, as shown by feed.gaps. Kept as long as the log.';
COMMENT ON COLUMN feed.gap_reports.at IS 'When it was reported';
COMMENT ON COLUMN feed.gap_reports.instance IS 'Instance that received the report, named as in /readyz';
COMMENT ON COLUMN feed.gap_reports.user_id IS
    'User whose client reported it; null: a service found that the table differs from the log';
COMMENT ON COLUMN feed.gap_reports.connection IS 'Stream of the client, as named in its auth_success; null: not reported';
COMMENT ON COLUMN feed.gap_reports.board IS 'Board of the opportunities';
COMMENT ON COLUMN feed.gap_reports.cursor IS 'Position of the checkpoint';
COMMENT ON COLUMN feed.gap_reports.expected_count IS
    'Number of rows according to the checkpoint; for a report of a service: in the table';
COMMENT ON COLUMN feed.gap_reports.expected_hash IS 'Hash of the expected rows; see feed.row_hash';
COMMENT ON COLUMN feed.gap_reports.held_count IS
    'Number of rows that the client had; for a report of a service: according to the log';
COMMENT ON COLUMN feed.gap_reports.held_hash IS 'Hash of the rows that the client had or, if a service reported it, of the rows in the log';
COMMENT ON COLUMN feed.gap_reports.cause IS 'Suspected cause: unlogged, delivery, feed or cursor. feed.gaps explains them.';
COMMENT ON COLUMN feed.gap_reports.cards IS
    'Opportunities of the board, at most ten, whose version differs from that of their newest row in the log';
