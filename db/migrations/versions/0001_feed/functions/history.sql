CREATE FUNCTION feed.history(opportunity text, relation text DEFAULT 'opportunities') RETURNS SETOF feed.trigger_log
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT t.* FROM feed.trigger_log AS t WHERE t.relation = history.relation AND t.key = history.opportunity ORDER BY t.seq;
END;
COMMENT ON FUNCTION feed.history(text, text) IS
    'All changes of one row, oldest first, even if the row was deleted: feed.history(''o1''), feed.history(''7'', relation => ''tasks'').';
