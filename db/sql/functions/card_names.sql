-- Plain SQL, so that the planner inlines it: where no column was named, which is usual, a read of the log costs one lookup more.
CREATE FUNCTION feed.card_names() RETURNS TABLE (names jsonb)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT feed.field_names() FROM feed.adopted AS a WHERE a.role = 'opportunities' AND a.columns <> '{}';
END;
COMMENT ON FUNCTION feed.card_names() IS 'feed.field_names() if any column was named in feed.adopt; otherwise no row.';
