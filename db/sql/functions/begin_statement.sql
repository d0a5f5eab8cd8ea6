-- Adds a statement to the list of those that are running, feed.open, from which feed.capture() removes it when it ends. Capture
-- runs only then, so what the triggers and functions of a statement wrote is logged before the statement itself, and has to be
-- sorted (see feed.sort_nested).
--
-- An entry is a bar; the table's OID and the first letter of the command, which only the outermost statement does without; then a colon
-- and where the log stood before the first row that was logged meanwhile. The newest entry comes first.
--
-- STABLE, because an expression in a volatile function takes a snapshot.
CREATE FUNCTION feed.begin_statement() RETURNS trigger
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    nothing text;
BEGIN
    -- Assignments, because PERFORM would be a query. Few functions in each, because each that is named costs something even if it is
    -- not called.
    IF pg_catalog.current_setting('feed.open', true) OPERATOR(pg_catalog.<>) '' THEN
        nothing := pg_catalog.set_config('feed.open',
            pg_catalog.concat('|', TG_RELID, pg_catalog.left(TG_OP, 1), pg_catalog.current_setting('feed.open', true)), true);
    ELSE
        nothing := pg_catalog.set_config('feed.open', '|', true);
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION feed.begin_statement() IS
    'Trigger of an attached table: notes that a statement runs, so that feed.capture can sort what its triggers write.';
