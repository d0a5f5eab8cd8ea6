-- Checkpoints that did not match, with an explanation. The columns are those of the table; what they say about a client is
-- what the client reported.
CREATE VIEW feed.gaps AS
SELECT g.at, g.board, g.user_id, g.cause,
       CASE g.cause
           WHEN 'unlogged' THEN 'The table and the log differ: a write bypassed the triggers, or a row of the log is missing'
           WHEN 'delivery' THEN 'The table and the log agree: the client lost a change, or applied it incorrectly'
           WHEN 'feed' THEN 'The client is right and the service miscounted: version_number did not increase by one'
           WHEN 'cursor' THEN 'The client''s cursor is no longer valid for this feed, so the cause cannot be determined'
       END AS meaning,
       g.cards, g.expected_count, g.held_count, g.expected_hash, g.held_hash, g.cursor, g.instance, g.connection
FROM feed.gap_reports AS g;
COMMENT ON VIEW feed.gaps IS
    'Boards that did not match a checkpoint. Reported by a client (which has reloaded the board since) or by a service that compared the table with the log. No rows means that everything matched.';
COMMENT ON COLUMN feed.gaps.at IS 'When it was reported';
COMMENT ON COLUMN feed.gaps.board IS 'Board of the opportunities';
COMMENT ON COLUMN feed.gaps.user_id IS 'User whose client reported it; null: reported by a service';
COMMENT ON COLUMN feed.gaps.cause IS 'Suspected cause: unlogged, delivery, feed or cursor';
COMMENT ON COLUMN feed.gaps.meaning IS 'Explanation of the cause';
COMMENT ON COLUMN feed.gaps.cards IS
    'Opportunities of the board, at most ten, whose version differs from that of their newest row in the log';
COMMENT ON COLUMN feed.gaps.expected_count IS 'Number of rows according to the checkpoint; for a report of a service: in the table';
COMMENT ON COLUMN feed.gaps.held_count IS 'Number of rows that the client had; for a report of a service: according to the log';
COMMENT ON COLUMN feed.gaps.expected_hash IS 'Hash of the expected rows; see feed.row_hash';
COMMENT ON COLUMN feed.gaps.held_hash IS 'Hash of the rows that the client had or, if a service reported it, of the rows in the log';
COMMENT ON COLUMN feed.gaps.cursor IS 'Position of the checkpoint: feed.checkpoint(board, cursor) returns what it should have been';
COMMENT ON COLUMN feed.gaps.instance IS 'Instance that received the report, named as in /readyz';
COMMENT ON COLUMN feed.gaps.connection IS 'Stream of the client, if it was reported';
