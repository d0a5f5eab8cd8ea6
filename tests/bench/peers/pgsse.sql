-- On top of design.sql: pg-sse's cursor sees new rows, not updates, so each change is a row of a table of its own, which pg-sse's
-- own triggers watch (pgsse.py installs them).
CREATE TABLE {schema}.changes (
    id bigserial PRIMARY KEY,
    board_id text NOT NULL,
    body jsonb NOT NULL
);
CREATE INDEX ON {schema}.changes (board_id, id);
CREATE FUNCTION {schema}.note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO {schema}.changes (board_id, body)
    VALUES (NEW.board_id, jsonb_build_object(
        'type', 'opportunity_updated', 'opportunityId', NEW.id, 'userId', NEW.last_modified_by, 'timestamp', now(),
        'changes', jsonb_build_object('company', NEW.company, 'version_number', NEW.version_number,
                                      'last_sync_at', NEW.last_sync_at)));
    RETURN NULL;
END
$$;
CREATE TRIGGER note AFTER UPDATE ON {schema}.opportunities FOR EACH ROW EXECUTE FUNCTION {schema}.note();
