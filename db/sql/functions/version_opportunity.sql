-- The database assigns versions: whatever the client sent as version_number and last_sync_at is replaced. All names are
-- qualified, including operators, so that the search_path of the writer has no effect. STABLE, because an expression in a volatile
-- function takes a snapshot.
--
-- The table is the application's, which may drop or retype these two columns as well. Then the write goes on without what cannot
-- be set. The argument of the trigger says whether the table has last_sync_at and generated columns (see feed.mend_triggers).
CREATE FUNCTION feed.version_opportunity() RETURNS trigger
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    generated jsonb;
    -- Whether other triggers run after this one, which may still change a row that is unchanged so far. Then it gets a version in any case.
    changed_later CONSTANT text := 'SELECT EXISTS (SELECT FROM pg_catalog.pg_trigger AS t WHERE t.tgrelid OPERATOR(pg_catalog.=) $1 '
        'AND t.tgname OPERATOR(pg_catalog.>) $2 AND t.tgtype OPERATOR(pg_catalog.&) 19 OPERATOR(pg_catalog.=) 19 AND t.tgenabled OPERATOR(pg_catalog.<>) ''D'')';
    may_change boolean;
    restarts text;
BEGIN
    BEGIN
        IF TG_ARGV[0] OPERATOR(pg_catalog.=) 'last_sync_at' THEN
            -- Almost no statement sets them, and to compare costs less than to assign.
            IF (NEW.version_number OPERATOR(pg_catalog.=) OLD.version_number
                AND NEW.last_sync_at OPERATOR(pg_catalog.=) OLD.last_sync_at) IS NOT TRUE THEN
                NEW.version_number := OLD.version_number;
                NEW.last_sync_at := OLD.last_sync_at;
            END IF;
            -- Compare byte by byte, because a type without an equality operator (json) would raise an error. An unchanged row is
            -- still returned, so that the row count and RETURNING are as expected; feed.capture finds no difference and logs nothing.
            IF NEW OPERATOR(pg_catalog.*=) OLD THEN
                EXECUTE changed_later INTO may_change USING TG_RELID, TG_NAME;
                IF NOT may_change THEN
                    RETURN NEW;
                END IF;
            END IF;
            NEW.version_number := coalesce(OLD.version_number, 0) OPERATOR(pg_catalog.+) 1;
            NEW.last_sync_at := pg_catalog.clock_timestamp();
            RETURN NEW;
        END IF;
        NEW.version_number := OLD.version_number;
        IF TG_ARGV[0] OPERATOR(pg_catalog.~~) 'last_sync_at%' THEN
            NEW.last_sync_at := OLD.last_sync_at;
        END IF;
        -- A generated column is computed after this trigger and is null in NEW.
        IF TG_ARGV[0] OPERATOR(pg_catalog.~~) '%generated' THEN
            SELECT pg_catalog.jsonb_object_agg(a.attname, NULL) INTO generated
            FROM pg_catalog.pg_attribute AS a
            WHERE a.attrelid OPERATOR(pg_catalog.=) TG_RELID AND a.attgenerated OPERATOR(pg_catalog.<>) '';
        END IF;
        IF NEW OPERATOR(pg_catalog.*=) OLD
           OR generated IS NOT NULL AND NEW OPERATOR(pg_catalog.*=) pg_catalog.jsonb_populate_record(OLD, generated) THEN
            EXECUTE changed_later INTO may_change USING TG_RELID, TG_NAME;
            IF NOT may_change THEN
                RETURN NEW;
            END IF;
        END IF;
        NEW.version_number := coalesce(OLD.version_number, 0) OPERATOR(pg_catalog.+) 1;
        IF TG_ARGV[0] OPERATOR(pg_catalog.~~) 'last_sync_at%' THEN
            NEW.last_sync_at := pg_catalog.clock_timestamp();
        END IF;
        RETURN NEW;
    EXCEPTION WHEN OTHERS THEN
        NULL;
    END;
    BEGIN
        NEW.version_number := coalesce(OLD.version_number, 0) OPERATOR(pg_catalog.+) 1;
    EXCEPTION WHEN numeric_value_out_of_range THEN
        -- The application inserted a row with the largest number. Clients drop what is older than they have, so feed.capture lets
        -- the row leave its board and enter it again.
        NEW.version_number := 1;
        restarts := pg_catalog.set_config('feed.version_restarts', 'on', true);
    WHEN OTHERS THEN
        NULL;
    END;
    BEGIN
        NEW.last_sync_at := pg_catalog.clock_timestamp();
    EXCEPTION WHEN OTHERS THEN
        NULL;
    END;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION feed.version_opportunity() IS
    'Trigger of opportunities: increments version_number by one and sets last_sync_at on each UPDATE that changes something.';
