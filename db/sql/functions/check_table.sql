-- Rejects tables that cannot be attached, before any trigger is created.
CREATE FUNCTION feed.check_table(target regclass) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    checked record;
    parent regclass;
BEGIN
    SELECT c.relkind, c.relpersistence, c.relispartition, n.nspname AS schema, pg_get_userbyid(c.relowner) AS owner,
           pg_has_role(c.relowner, 'USAGE') AS owned
    INTO checked FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = target;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no table given' USING ERRCODE = 'undefined_table', HINT = 'Pass the name of a table, such as feed.attach(''public.tasks'').';
    ELSIF checked.schema = 'feed' AND target NOT IN (to_regclass('feed.boards'), to_regclass('feed.board_members'), to_regclass('feed.flags')) THEN
        RAISE EXCEPTION '% belongs to the feed itself and cannot be attached', target USING ERRCODE = 'invalid_table_definition';
    ELSIF checked.schema IN ('pg_catalog', 'information_schema', 'pg_toast') THEN
        RAISE EXCEPTION '% is a system catalog and cannot be attached', target USING ERRCODE = 'wrong_object_type';
    ELSIF checked.relkind NOT IN ('r', 'p') THEN
        RAISE EXCEPTION '% is %, not a table', target,
            CASE checked.relkind WHEN 'v' THEN 'a view' WHEN 'm' THEN 'a materialized view' WHEN 'f' THEN 'a foreign table'
                            WHEN 'S' THEN 'a sequence' WHEN 'i' THEN 'an index' WHEN 'I' THEN 'an index' ELSE 'a type' END
            USING ERRCODE = 'wrong_object_type',
                  HINT = CASE WHEN checked.relkind IN ('v', 'm') THEN 'Attach the tables that it reads from: writes through a view are logged there.'
                              WHEN checked.relkind = 'f' THEN 'Its rows are written in another database: attach the table there.' ELSE 'Name a table.' END;
    ELSIF checked.relpersistence = 't' THEN
        RAISE EXCEPTION 'table % is temporary: no other session can read its rows', target USING ERRCODE = 'wrong_object_type';
    ELSIF checked.relpersistence = 'u' THEN
        RAISE EXCEPTION 'table % is unlogged: a crash would empty it without a change in the log', target
            USING ERRCODE = 'wrong_object_type', HINT = format('Use ALTER TABLE %s SET LOGGED.', target);
    ELSIF NOT checked.owned THEN
        RAISE EXCEPTION 'table % is owned by %, and only its owner can create or drop triggers on it', target, quote_ident(checked.owner)
            USING ERRCODE = 'insufficient_privilege',
                  HINT = format('GRANT %I TO %I, or run this as a superuser.', checked.owner, current_user);
    ELSIF checked.relispartition THEN
        RAISE EXCEPTION 'table % is a partition: writes to % do not fire its triggers', target, pg_partition_root(target)
            USING ERRCODE = 'invalid_table_definition', HINT = format('Attach the partitioned table: feed.attach(%L).', pg_partition_root(target));
    END IF;
    SELECT i.inhparent INTO parent FROM pg_inherits AS i
    WHERE checked.relkind = 'r' AND target IN (i.inhparent, i.inhrelid) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'table % is %: its rows are written through two tables, and keys are not unique across both', target,
            CASE parent WHEN target THEN 'an inheritance parent' ELSE 'a child of ' || parent END
            USING ERRCODE = 'invalid_table_definition', HINT = 'Partitioned tables can be attached: use PARTITION BY instead of INHERITS.';
    END IF;
END
$$;
COMMENT ON FUNCTION feed.check_table(regclass) IS
    'Raises an error if a table cannot be attached: it is not an ordinary table, or the caller does not own it. Used by feed.attach.';
