-- The key is the row's name in the log and at every client: it cannot change under them. (Where a trigger of the application's
-- own changes it, unseen by a trigger on the columns that a statement sets, the log tells of a row that went and one that came.)
CREATE FUNCTION feed.guard_key() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION 'the primary key of % is fed to clients and cannot be changed', TG_RELID::pg_catalog.regclass
        USING ERRCODE = 'integrity_constraint_violation',
              HINT = 'Delete the row and insert it under its new key.';
END
$$;
COMMENT ON FUNCTION feed.guard_key() IS 'Trigger of a fed table: refuses an UPDATE that changes the primary key.';
