-- Records that this UPDATE sets last_modified_by. The column still holds the author of the previous change otherwise, so an
-- UPDATE that does not set it would be attributed to that author. feed.capture clears the mark at the end of the statement.
CREATE FUNCTION feed.name_author() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM pg_catalog.set_config('feed.named', TG_RELID::pg_catalog.text, true);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION feed.name_author() IS
    'Trigger of an attached table with a column last_modified_by: tells feed.capture that the statement sets it.';
