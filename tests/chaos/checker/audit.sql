-- The checker's audit of the tables, in a schema of its own. It is written in the writer's transaction, so a lost transaction
-- takes its entries with it. ALWAYS: the triggers also fire with session_replication_role = replica.
CREATE SCHEMA audit;

CREATE TABLE audit.entries (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    relation text NOT NULL,
    op text NOT NULL,
    old jsonb,
    new jsonb
);

-- A copy of the log, which determines the order of delivery: the log itself may be pruned.
CREATE TABLE audit.log (
    seq bigint NOT NULL,
    xid xid8 NOT NULL,
    at timestamptz NOT NULL,
    relation text NOT NULL,
    op text NOT NULL,
    key text,
    board text,
    version integer,
    actor text,
    origin text,
    part text NOT NULL
);

CREATE FUNCTION audit.row() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET TimeZone = 'UTC'
SET IntervalStyle = 'postgres'
SET bytea_output = 'hex'
SET extra_float_digits = 1
AS $$
BEGIN
    INSERT INTO audit.entries (relation, op, old, new)
    VALUES (TG_TABLE_NAME, lower(TG_OP),
            CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD.*) END,
            CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW.*) END);
    RETURN NULL;
END
$$;

CREATE FUNCTION audit.truncated() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO audit.entries (relation, op) VALUES (TG_TABLE_NAME, 'truncate');
    RETURN NULL;
END
$$;

CREATE FUNCTION audit.logged() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO audit.log (seq, xid, at, relation, op, key, board, version, actor, origin, part)
    VALUES (NEW.seq, NEW.xid, NEW.at, regexp_replace(NEW.relation, '^feed[.]', ''), NEW.op, NEW.key, NEW.board, NEW.version, NEW.actor, NEW.origin, TG_TABLE_NAME);
    RETURN NULL;
END
$$;

DO $$
DECLARE
    each text;
BEGIN
    FOREACH each IN ARRAY ARRAY['public.opportunities', 'feed.board_members', 'feed.boards'] LOOP
        EXECUTE format('CREATE TRIGGER audit_row AFTER INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION audit.row()', each);
        EXECUTE format('CREATE TRIGGER audit_truncated AFTER TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION audit.truncated()', each);
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER audit_row', each);
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER audit_truncated', each);
    END LOOP;
END
$$;
CREATE TRIGGER audit_logged AFTER INSERT ON feed.log FOR EACH ROW EXECUTE FUNCTION audit.logged();
ALTER TABLE feed.log ENABLE ALWAYS TRIGGER audit_logged;
