-- Where checkpoints did not agree, in words. The columns are the table's, and what they say of the client is what it said.
CREATE VIEW feed.gaps AS
SELECT g.at, g.board, g.user_id, g.cause,
       CASE g.cause
           WHEN 'unlogged' THEN 'The table is not what the log says: a write went past the triggers, or a row of the log is missing'
           WHEN 'delivery' THEN 'Table and log agree: the client has lost something on its way, or applied it wrongly'
           WHEN 'feed' THEN 'The client was right, and the service had miscounted: version_number did not go up by one'
           WHEN 'cursor' THEN 'The client''s cursor is not one of this feed''s any more: nothing can be said of it'
       END AS meaning,
       g.cards, g.expected_count, g.held_count, g.expected_hash, g.held_hash, g.cursor, g.instance, g.connection
FROM feed.gap_reports AS g;
COMMENT ON VIEW feed.gaps IS 'Boards that were not what they had to be: found by a client at a checkpoint of its stream (it has loaded the board anew since), or by a service that compared the table with what the log had told. Empty is well.';
COMMENT ON COLUMN feed.gaps.at IS 'When it was found';
COMMENT ON COLUMN feed.gaps.board IS 'Whose opportunities they are';
COMMENT ON COLUMN feed.gaps.user_id IS 'Whose client found it; null: a service did';
COMMENT ON COLUMN feed.gaps.cause IS 'The suspected cause: unlogged, delivery, feed or cursor';
COMMENT ON COLUMN feed.gaps.meaning IS 'The same in words';
COMMENT ON COLUMN feed.gaps.cards IS 'Opportunities of the board, at most ten, whose version is not that of the log''s newest row for them';
COMMENT ON COLUMN feed.gaps.expected_count IS 'How many rows the checkpoint had; where a service found it: the table';
COMMENT ON COLUMN feed.gaps.held_count IS 'How many the client had; where a service found it: how many the log had told';
COMMENT ON COLUMN feed.gaps.expected_hash IS 'The hash of the first (see feed.row_hash)';
COMMENT ON COLUMN feed.gaps.held_hash IS 'The hash of the second';
COMMENT ON COLUMN feed.gaps.cursor IS 'Where the checkpoint was made: feed.checkpoint(board, cursor) is what it should have been';
COMMENT ON COLUMN feed.gaps.instance IS 'The service that it was reported to, as /readyz names it';
COMMENT ON COLUMN feed.gaps.connection IS 'The client''s stream, where it was told';
