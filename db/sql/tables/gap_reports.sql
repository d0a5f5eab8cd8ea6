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
COMMENT ON TABLE feed.gap_reports IS 'Checkpoints that did not agree, as feed.gaps tells them. Kept as long as the log.';
COMMENT ON COLUMN feed.gap_reports.at IS 'When it was reported';
COMMENT ON COLUMN feed.gap_reports.instance IS 'The service that took the report, as /readyz names it';
COMMENT ON COLUMN feed.gap_reports.user_id IS 'Whose client; null where the service itself found the table to be another than the log had told';
COMMENT ON COLUMN feed.gap_reports.connection IS 'The client''s stream, as its auth_success named it; null where that was not told';
COMMENT ON COLUMN feed.gap_reports.board IS 'Whose opportunities they are';
COMMENT ON COLUMN feed.gap_reports.cursor IS 'Where the checkpoint was made';
COMMENT ON COLUMN feed.gap_reports.expected_count IS 'Rows, as the checkpoint said; of the service itself: as the table has them';
COMMENT ON COLUMN feed.gap_reports.expected_hash IS 'Their hash; see feed.row_hash';
COMMENT ON COLUMN feed.gap_reports.held_count IS 'Rows that the client had; of the service itself: as the log had told them';
COMMENT ON COLUMN feed.gap_reports.held_hash IS 'Their hash';
COMMENT ON COLUMN feed.gap_reports.cause IS 'As far as could be worked out: unlogged, delivery, feed or cursor; feed.gaps says what that means';
COMMENT ON COLUMN feed.gap_reports.cards IS 'Opportunities of the board, at most ten, whose version is not that of the log''s newest row for them';
