-- The key identifies a row in the log and in every client, so it must not change. (If another trigger of the application
-- changes it, this column trigger does not fire, and the log records a deleted and an inserted row.)
CREATE FUNCTION feed.guard_key() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION 'the key of % identifies its rows to clients and cannot be changed', TG_RELID::pg_catalog.regclass
        USING ERRCODE = 'integrity_constraint_violation',
              HINT = 'Delete the row and insert it again with the new key.';
END
$$;
COMMENT ON FUNCTION feed.guard_key() IS 'Trigger of an attached table: rejects an UPDATE that changes the key.';
