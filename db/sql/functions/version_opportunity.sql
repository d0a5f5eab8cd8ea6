-- Versions belong to the database: whatever the client sent for version_number and last_sync_at is replaced.
CREATE FUNCTION feed.version_opportunity() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    NEW.version_number := OLD.version_number;
    NEW.last_sync_at := OLD.last_sync_at;
    -- Byte for byte, since a column without an equality operator (json) must not make an error. A row that did not change is
    -- still returned, so that the writer's row count and RETURNING are what he expects; capture then sees no difference.
    IF NEW OPERATOR(pg_catalog.*<>) OLD THEN
        NEW.version_number := coalesce(OLD.version_number, 0) + 1;
        NEW.last_sync_at := pg_catalog.clock_timestamp();
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION feed.version_opportunity() IS
    'Trigger of opportunities: version_number goes up by one with each UPDATE that changes something; last_sync_at says when.';
