CREATE FUNCTION feed.history(opportunity text, relation text DEFAULT 'opportunities') RETURNS SETOF feed.trigger_log
LANGUAGE sql STABLE
AS $$
    SELECT t.* FROM feed.trigger_log AS t WHERE t.relation = history.relation AND t.key = history.opportunity ORDER BY t.seq
$$;
COMMENT ON FUNCTION feed.history(text, text) IS
    'All that is known of one row, the oldest first, also of a deleted one: feed.history(''o1''), feed.history(''7'', relation => ''tasks'').';
