-- Versions belong to the database: whatever the client sent for version_number and last_sync_at is replaced. All names are
-- qualified, operators too, so that a writer's search_path cannot count for us.
CREATE FUNCTION feed.version_opportunity() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
    changed boolean;
    generated jsonb;
BEGIN
    -- Nearly every UPDATE gives one of these another value, and then there is no more to ask. They are compared as text, since
    -- an adopted table has types of its own. A generated column, computed after this trigger, is null in NEW and so proves nothing.
    changed := NEW.phase::pg_catalog.text OPERATOR(pg_catalog.<>) OLD.phase::pg_catalog.text
            OR NEW.position::pg_catalog.text OPERATOR(pg_catalog.<>) OLD.position::pg_catalog.text
            OR NEW.board_id::pg_catalog.text OPERATOR(pg_catalog.<>) OLD.board_id::pg_catalog.text
            OR NEW.title::pg_catalog.text OPERATOR(pg_catalog.<>) OLD.title::pg_catalog.text
            OR NEW.company::pg_catalog.text OPERATOR(pg_catalog.<>) OLD.company::pg_catalog.text
            OR NEW.contact::pg_catalog.text OPERATOR(pg_catalog.<>) OLD.contact::pg_catalog.text
            OR NEW.value::pg_catalog.text OPERATOR(pg_catalog.<>) OLD.value::pg_catalog.text
            OR NEW.owner_id::pg_catalog.text OPERATOR(pg_catalog.<>) OLD.owner_id::pg_catalog.text
            OR NEW.probability::pg_catalog.text OPERATOR(pg_catalog.<>) OLD.probability::pg_catalog.text
            OR NEW.notes::pg_catalog.text OPERATOR(pg_catalog.<>) OLD.notes::pg_catalog.text;
    IF changed IS NOT TRUE THEN
        NEW.version_number := OLD.version_number;
        NEW.last_sync_at := OLD.last_sync_at;
        -- Byte for byte, since a column without an equality operator (json) must not make an error. A row that did not change is
        -- still returned, so that the writer's row count and RETURNING are what he expects; capture then sees no difference.
        IF NEW OPERATOR(pg_catalog.*=) OLD THEN
            RETURN NEW;
        END IF;
        SELECT pg_catalog.jsonb_object_agg(a.attname, NULL) INTO generated
        FROM pg_catalog.pg_attribute AS a
        WHERE a.attrelid OPERATOR(pg_catalog.=) TG_RELID AND a.attgenerated OPERATOR(pg_catalog.<>) '';
        IF generated IS NOT NULL AND NEW OPERATOR(pg_catalog.*=) pg_catalog.jsonb_populate_record(OLD, generated) THEN
            RETURN NEW;
        END IF;
    END IF;
    NEW.version_number := coalesce(OLD.version_number, 0) OPERATOR(pg_catalog.+) 1;
    NEW.last_sync_at := pg_catalog.clock_timestamp();
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION feed.version_opportunity() IS
    'Trigger of opportunities: version_number goes up by one with each UPDATE that changes something; last_sync_at says when.';
