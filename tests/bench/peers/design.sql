-- The table of the original design, with its versions (section 6), in a schema of its own. {schema} is filled in.
CREATE SCHEMA {schema};
CREATE TABLE {schema}.opportunities (LIKE public.unfed);
INSERT INTO {schema}.opportunities SELECT * FROM public.unfed;
ALTER TABLE {schema}.opportunities ADD PRIMARY KEY (id);

CREATE TABLE {schema}.opportunity_versions (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    opportunity_id varchar REFERENCES {schema}.opportunities (id),
    version_number integer NOT NULL,
    data jsonb NOT NULL,
    created_by varchar,
    created_at timestamptz DEFAULT now()
);
CREATE INDEX ON {schema}.opportunity_versions (opportunity_id);
CREATE INDEX ON {schema}.opportunity_versions (created_at DESC);

CREATE FUNCTION {schema}.create_opportunity_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.version_number = OLD.version_number + 1;
    NEW.last_sync_at = now();
    INSERT INTO {schema}.opportunity_versions (opportunity_id, version_number, data, created_by)
    VALUES (OLD.id, OLD.version_number, to_jsonb(OLD), NEW.last_modified_by);
    RETURN NEW;
END
$$;
CREATE TRIGGER trigger_opportunity_versioning BEFORE UPDATE ON {schema}.opportunities
    FOR EACH ROW EXECUTE FUNCTION {schema}.create_opportunity_version();
ANALYZE {schema}.opportunities;
