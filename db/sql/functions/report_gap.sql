-- Records that the rows of a board that a client (or, if user_id is null, a service) has differ from a checkpoint, and
-- determines the cause. Of the report, only what the client has is trusted: the correct state is the table with the changes
-- since the cursor undone. Returns the cause. Returns null if nothing was recorded, because this user reported the board a
-- few seconds ago, because there are very many reports, or because the table was truncated since the cursor.
CREATE FUNCTION feed.report_gap(instance text, user_id text, connection text, board text, cursor text,
                                expected_count bigint, expected_hash text, held_count bigint, held_hash text) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, feed, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    reported CONSTANT timestamptz := clock_timestamp();
    same record;
    actual record;
    suspects text[];
    cause text;
BEGIN
    IF num_nulls(instance, board, cursor, expected_count, expected_hash, held_count, held_hash) > 0
       OR (SELECT count(*) >= 600 FROM feed.gap_reports AS g WHERE g.at > reported - interval '1 minute')
       OR EXISTS (SELECT FROM feed.gap_reports AS g
                  WHERE g.at > reported - interval '5 s' AND g.user_id = report_gap.user_id AND g.board = report_gap.board) THEN
        RETURN NULL;
    END IF;
    -- Clients that miss the same rows miss them for the same reason, so only the first of them is investigated.
    SELECT g.cause, g.cards INTO same
    FROM feed.gap_reports AS g
    WHERE g.at > reported - interval '2 minutes' AND g.board = report_gap.board
      AND g.expected_count - g.held_count = expected_count - held_count
      AND (('x' || g.expected_hash)::bit(32)::bigint - ('x' || g.held_hash)::bit(32)::bigint) & 4294967295
        = (('x' || expected_hash)::bit(32)::bigint - ('x' || held_hash)::bit(32)::bigint) & 4294967295
    ORDER BY g.user_id NULLS FIRST, g.at DESC
    LIMIT 1;
    IF FOUND THEN
        cause := same.cause;
        suspects := same.cards;
    ELSE
        SELECT coalesce(array_agg(s.id ORDER BY s.id), '{}') INTO suspects
        FROM (SELECT o.id
              FROM feed.versions_on(board) AS o
              CROSS JOIN LATERAL (SELECT l.op, l.version FROM feed.log AS l
                                  WHERE l.relation = 'opportunities' AND l.key = o.id
                                  ORDER BY l.seq DESC LIMIT 1) AS newest
              WHERE newest.version <> o.version_number OR newest.op = 'delete'
              LIMIT 10) AS s;
        IF user_id IS NULL THEN
            cause := 'unlogged';
        ELSIF feed.cursor_fault(cursor) IS NOT NULL THEN
            cause := 'cursor';
        ELSE
            SELECT c.count, c.hash INTO actual FROM feed.checkpoint_seen(board, cursor) AS c;
            IF actual.count IS NULL THEN
                RETURN NULL;
            END IF;
            cause := CASE WHEN suspects <> '{}' THEN 'unlogged'
                          WHEN (held_count, held_hash) = (actual.count, actual.hash) THEN 'feed'
                          WHEN (expected_count, expected_hash) = (actual.count, actual.hash) THEN 'delivery'
                          ELSE 'unlogged' END;
        END IF;
    END IF;
    INSERT INTO feed.gap_reports (at, instance, user_id, connection, board, cursor,
                                  expected_count, expected_hash, held_count, held_hash, cause, cards)
    VALUES (reported, instance, user_id, connection, board, cursor,
            expected_count, expected_hash, held_count, held_hash, cause, suspects);
    RETURN cause;
END
$$;
COMMENT ON FUNCTION feed.report_gap(text, text, text, text, text, bigint, text, bigint, text) IS
    'Called by the services: records in feed.gap_reports that a client has other rows of a board than the checkpoint, with the suspected cause. Returns the cause; null if the report was not recorded.';
