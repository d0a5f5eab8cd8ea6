-- Notes that this UPDATE names who makes it. An UPDATE that does not would otherwise be put down to whoever made the one before,
-- as the column still has his name. Cleared by feed.capture at the end of the statement.
CREATE FUNCTION feed.name_author() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM pg_catalog.set_config('feed.named', TG_RELID::pg_catalog.text, true);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION feed.name_author() IS
    'Trigger of a fed table with a column last_modified_by: tells feed.capture that the statement sets it.';
