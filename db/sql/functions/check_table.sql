-- Refuses what cannot be fed, with the reason, before any trigger is made.
CREATE FUNCTION feed.check_table(target regclass) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    asked record;
    parent regclass;
BEGIN
    SELECT c.relkind, c.relpersistence, c.relispartition, n.nspname AS schema, pg_get_userbyid(c.relowner) AS owner,
           pg_has_role(c.relowner, 'USAGE') AS owned
    INTO asked FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = target;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no table is named' USING ERRCODE = 'undefined_table';
    ELSIF asked.schema = 'feed' AND target <> to_regclass('feed.flags') THEN
        RAISE EXCEPTION '% is of the feed itself and cannot be fed', target USING ERRCODE = 'invalid_table_definition';
    ELSIF asked.schema IN ('pg_catalog', 'information_schema', 'pg_toast') THEN
        RAISE EXCEPTION '% is of PostgreSQL itself and cannot be fed', target USING ERRCODE = 'wrong_object_type';
    ELSIF asked.relkind NOT IN ('r', 'p') THEN
        RAISE EXCEPTION '% is %, not a table', target,
            CASE asked.relkind WHEN 'v' THEN 'a view' WHEN 'm' THEN 'a materialized view' WHEN 'f' THEN 'a foreign table'
                            WHEN 'S' THEN 'a sequence' WHEN 'i' THEN 'an index' WHEN 'I' THEN 'an index' ELSE 'a type' END
            USING ERRCODE = 'wrong_object_type',
                  HINT = CASE WHEN asked.relkind IN ('v', 'm') THEN 'Feed the tables that it reads: writes through a view are seen there.'
                              WHEN asked.relkind = 'f' THEN 'Its writes are made in another database: feed it there.' ELSE 'Name a table.' END;
    ELSIF asked.relpersistence = 't' THEN
        RAISE EXCEPTION 'table % is temporary: nobody else can read its rows', target USING ERRCODE = 'wrong_object_type';
    ELSIF asked.relpersistence = 'u' THEN
        RAISE EXCEPTION 'table % is unlogged: a crash would empty it, and nobody would be told', target
            USING ERRCODE = 'wrong_object_type', HINT = format('ALTER TABLE %s SET LOGGED.', target);
    ELSIF NOT asked.owned THEN
        RAISE EXCEPTION 'table % is owned by %, and only its owner can put triggers on it or take them off', target, quote_ident(asked.owner)
            USING ERRCODE = 'insufficient_privilege',
                  HINT = format('GRANT %I TO %I, or do it as a superuser.', asked.owner, current_user);
    ELSIF asked.relispartition THEN
        RAISE EXCEPTION 'table % is a partition: a write to % goes past its triggers', target, pg_partition_root(target)
            USING ERRCODE = 'invalid_table_definition', HINT = format('Feed the whole: feed.attach(%L).', pg_partition_root(target));
    END IF;
    SELECT i.inhparent INTO parent FROM pg_inherits AS i
    WHERE asked.relkind = 'r' AND target IN (i.inhparent, i.inhrelid) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'table % is %: its rows are written through two tables, and their keys are not unique over both', target,
            CASE parent WHEN target THEN 'inherited from' ELSE 'a child of ' || parent END
            USING ERRCODE = 'invalid_table_definition', HINT = 'Partitioned tables can be fed: PARTITION BY instead of INHERITS.';
    END IF;
END
$$;
COMMENT ON FUNCTION feed.check_table(regclass) IS
    'Refuses what cannot be fed: what is no table of its own, or not the caller''s. For feed.attach.';
