-- STABLE and plain SQL, so that the planner inlines it and a null argument leaves no condition at all. The age is converted
-- to a sequence number once, so that older rows are not read.
CREATE FUNCTION feed.tail(since interval DEFAULT '10 min', board text DEFAULT NULL, opportunity text DEFAULT NULL,
                          actor text DEFAULT NULL, relation text DEFAULT NULL, lim integer DEFAULT 50)
RETURNS SETOF feed.trigger_log
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT newest.*
    FROM (SELECT t.*
          FROM feed.trigger_log AS t
          WHERE (tail.since IS NULL OR t.seq >= (SELECT feed.seq_since(now() - tail.since)))
            AND (tail.board IS NULL OR t.board = tail.board)
            AND (tail.opportunity IS NULL OR t.relation = 'opportunities' AND t.key = tail.opportunity)
            AND (tail.actor IS NULL OR t.actor = tail.actor)
            AND (tail.relation IS NULL OR t.relation = tail.relation)
          ORDER BY t.seq DESC
          LIMIT tail.lim) AS newest
    ORDER BY newest.seq;
END;
COMMENT ON FUNCTION feed.tail(interval, text, text, text, text, integer) IS
    'The newest changes, in ascending order: feed.tail(since => ''1 hour'', board => ''b1'', opportunity => ''o1'', actor => ''ana'', relation => ''tasks'', lim => 20). All arguments are optional. since => NULL: of any age.';
