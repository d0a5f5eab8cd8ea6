-- On top of design.sql: what a first search for "Postgres live updates" ends in.
CREATE FUNCTION {schema}.tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('naive', jsonb_build_object('type', 'opportunity_updated', 'opportunity', to_jsonb(NEW))::text);
    RETURN NULL;
END
$$;
CREATE TRIGGER tell AFTER UPDATE ON {schema}.opportunities FOR EACH ROW EXECUTE FUNCTION {schema}.tell();
