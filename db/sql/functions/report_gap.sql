-- Notes that a client (or, user_id null, a service) had other rows of a board than a checkpoint says, and works out why. Whoever
-- reports is not believed in anything but what he had: the truth is the table's, taken back to his cursor by the log. Returns the
-- cause; null where nothing was noted, since he says it every few seconds, or very many do, or the table was emptied since his cursor.
CREATE FUNCTION feed.report_gap(instance text, user_id text, connection text, board text, cursor text,
                                expected_count bigint, expected_hash text, held_count bigint, held_hash text) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, feed, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    reported CONSTANT timestamptz := clock_timestamp();
    same record;
    truth record;
    suspects text[];
    cause text;
BEGIN
    IF num_nulls(instance, board, cursor, expected_count, expected_hash, held_count, held_hash) > 0
       OR (SELECT count(*) >= 600 FROM feed.gap_reports AS g WHERE g.at > reported - interval '1 minute')
       OR EXISTS (SELECT FROM feed.gap_reports AS g
                  WHERE g.at > reported - interval '5 s' AND g.user_id = report_gap.user_id AND g.board = report_gap.board) THEN
        RETURN NULL;
    END IF;
    -- Whoever lacks the same lacks it for the same reason: of very many clients one is looked into.
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
        FROM (SELECT o.id::text AS id
              FROM public.opportunities AS o
              CROSS JOIN LATERAL (SELECT l.op, l.version FROM feed.log AS l
                                  WHERE l.relation = 'opportunities' AND l.key = o.id::text
                                  ORDER BY l.seq DESC LIMIT 1) AS newest
              WHERE o.board_id = board AND (newest.version <> o.version_number OR newest.op = 'delete')
              LIMIT 10) AS s;
        IF user_id IS NULL THEN
            cause := 'unlogged';
        ELSIF feed.cursor_fault(cursor) IS NOT NULL THEN
            cause := 'cursor';
        ELSE
            SELECT c.count, c.hash INTO truth FROM feed.checkpoint_seen(board, cursor) AS c;
            IF truth.count IS NULL THEN
                RETURN NULL;
            END IF;
            cause := CASE WHEN suspects <> '{}' THEN 'unlogged'
                          WHEN (held_count, held_hash) = (truth.count, truth.hash) THEN 'feed'
                          WHEN (expected_count, expected_hash) = (truth.count, truth.hash) THEN 'delivery'
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
    'Called by the services: notes in feed.gaps that somebody had other rows of a board than its checkpoint says, with the cause as far as it can be worked out. Returns that; null where it was said a moment ago.';
