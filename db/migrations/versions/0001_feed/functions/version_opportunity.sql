-- The database assigns versions: whatever the client sent as version_number and last_sync_at is replaced. All names are
-- qualified, including operators, so that the search_path of the writer has no effect.
CREATE FUNCTION feed.version_opportunity() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
    changed boolean;
    generated jsonb;
BEGIN
    -- Almost every UPDATE changes one of these columns, and then nothing else has to be checked. They are compared as text,
    -- because an adopted table has its own types. A generated column is computed after this trigger and is null in NEW, so
    -- it proves nothing.
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
        -- Compare byte by byte, because a type without an equality operator (json) would raise an error. An unchanged row
        -- is still returned, so that the row count and RETURNING are as expected; feed.capture finds no difference and logs
        -- nothing.
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
    'Trigger of opportunities: increments version_number by one and sets last_sync_at on each UPDATE that changes something.';
