-- What a board knows of a card that the application's table has no column for. No foreign key to the table of the cards: it would keep
-- the application from changing it. A row stays when its card is deleted, so that a restored card has its details again.
CREATE TABLE feed.opportunity_details (
    opportunity_id text PRIMARY KEY,
    board_id text NOT NULL REFERENCES feed.boards (id) ON DELETE CASCADE,
    closed_phase text,
    closed_at timestamptz,
    close_reason text,
    next_activity text,
    next_activity_date date,
    version_number integer NOT NULL DEFAULT 1,
    CONSTRAINT opportunity_details_closed CHECK ((closed_phase IS NULL) = (closed_at IS NULL) AND (close_reason IS NULL OR closed_at IS NOT NULL))
);
CREATE INDEX opportunity_details_board_id ON feed.opportunity_details (board_id);
COMMENT ON TABLE feed.opportunity_details IS
    'What boards know of opportunities beyond the columns of their table: when and why one was won or lost, and what is to be done next. Opportunities without any of these have no row.';
COMMENT ON COLUMN feed.opportunity_details.opportunity_id IS 'The opportunity, as feed.log.key';
COMMENT ON COLUMN feed.opportunity_details.board_id IS 'Its board, whose clients receive the change';
COMMENT ON COLUMN feed.opportunity_details.closed_phase IS 'The stage, of kind won or lost, that it is in; null: it is open. See feed.note_closings.';
COMMENT ON COLUMN feed.opportunity_details.closed_at IS 'When it entered that stage; null: it is open';
COMMENT ON COLUMN feed.opportunity_details.close_reason IS 'Why it was won or lost; null: no reason was given. Cleared when it leaves the stage.';
COMMENT ON COLUMN feed.opportunity_details.next_activity IS 'What is to be done next';
COMMENT ON COLUMN feed.opportunity_details.next_activity_date IS 'When that is due';
COMMENT ON COLUMN feed.opportunity_details.version_number IS 'Counts the changes of this row; set by a trigger';
