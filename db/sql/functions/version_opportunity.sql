-- Versions belong to the database: whatever the client sent for version_number and last_sync_at is replaced. All names are
-- qualified, operators too, so that a writer's search_path cannot count for us.
CREATE FUNCTION feed.version_opportunity() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
    generated jsonb;
BEGIN
    NEW.version_number := OLD.version_number;
    NEW.last_sync_at := OLD.last_sync_at;
    -- Byte for byte, since a column without an equality operator (json) must not make an error. A row that did not change is
    -- still returned, so that the writer's row count and RETURNING are what he expects; capture then sees no difference.
    IF NEW OPERATOR(pg_catalog.*<>) OLD THEN
        -- Generated columns are computed after this trigger: here they are null in NEW, and are no difference.
        SELECT pg_catalog.jsonb_object_agg(a.attname, NULL) INTO generated
        FROM pg_catalog.pg_attribute AS a
        WHERE a.attrelid OPERATOR(pg_catalog.=) TG_RELID AND a.attgenerated OPERATOR(pg_catalog.<>) '';
        IF generated IS NULL OR NEW OPERATOR(pg_catalog.*<>) pg_catalog.jsonb_populate_record(OLD, generated) THEN
            NEW.version_number := coalesce(OLD.version_number, 0) OPERATOR(pg_catalog.+) 1;
            NEW.last_sync_at := pg_catalog.clock_timestamp();
        END IF;
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION feed.version_opportunity() IS
    'Trigger of opportunities: version_number goes up by one with each UPDATE that changes something; last_sync_at says when.';
