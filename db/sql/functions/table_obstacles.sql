CREATE FUNCTION feed.table_obstacles(target regclass) RETURNS TABLE (reason text, hint text, code text)
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
        RETURN QUERY SELECT 'no table given', 'Pass the name of a table, such as feed.attach(''public.tasks'').', 'undefined_table';
        RETURN;
    ELSIF checked.schema = 'feed' AND target NOT IN (to_regclass('feed.boards'), to_regclass('feed.board_members'), to_regclass('feed.flags'), to_regclass('feed.opportunity_details')) THEN
        RETURN QUERY SELECT format('%s belongs to the feed itself and cannot be attached', target), NULL, 'invalid_table_definition';
        RETURN;
    ELSIF checked.schema IN ('pg_catalog', 'information_schema', 'pg_toast') THEN
        RETURN QUERY SELECT format('%s is a system catalog and cannot be attached', target), NULL, 'wrong_object_type';
        RETURN;
    ELSIF checked.relkind NOT IN ('r', 'p') THEN
        RETURN QUERY SELECT format('%s is %s, not a table', target,
            CASE checked.relkind WHEN 'v' THEN 'a view' WHEN 'm' THEN 'a materialized view' WHEN 'f' THEN 'a foreign table'
                                 WHEN 'S' THEN 'a sequence' WHEN 'i' THEN 'an index' WHEN 'I' THEN 'an index' ELSE 'a type' END),
            CASE WHEN checked.relkind IN ('v', 'm') THEN 'Attach the tables that it reads from: writes through a view are logged there.'
                 WHEN checked.relkind = 'f' THEN 'Its rows are written in another database: attach the table there.' ELSE 'Name a table.' END,
            'wrong_object_type';
        RETURN;
    END IF;
    IF checked.relpersistence = 't' THEN
        RETURN QUERY SELECT format('table %s is temporary: no other session can read its rows', target), NULL, 'wrong_object_type';
    ELSIF checked.relpersistence = 'u' THEN
        RETURN QUERY SELECT format('table %s is unlogged: a crash would empty it without a change in the log', target),
                            format('Use ALTER TABLE %s SET LOGGED.', target), 'wrong_object_type';
    END IF;
    IF NOT checked.owned THEN
        RETURN QUERY SELECT format('table %s is owned by %s, and only its owner can create or drop triggers on it', target, quote_ident(checked.owner)),
                            format('GRANT %I TO %I, or run this as a superuser.', checked.owner, current_user), 'insufficient_privilege';
    END IF;
    IF checked.relispartition THEN
        RETURN QUERY SELECT format('table %s is a partition: writes to %s do not fire its triggers', target, pg_partition_root(target)),
                            format('Attach the partitioned table: feed.attach(%L).', pg_partition_root(target)), 'invalid_table_definition';
    END IF;
    SELECT i.inhparent INTO parent FROM pg_inherits AS i
    WHERE checked.relkind = 'r' AND NOT checked.relispartition AND target IN (i.inhparent, i.inhrelid) LIMIT 1;
    IF FOUND THEN
        RETURN QUERY SELECT format('table %s is %s: its rows are written through two tables, and keys are not unique across both', target,
                                   CASE parent WHEN target THEN 'an inheritance parent' ELSE 'a child of ' || parent END),
                            'Partitioned tables can be attached: use PARTITION BY instead of INHERITS.', 'invalid_table_definition';
    END IF;
    IF NOT checked.owned THEN
        RETURN; -- and may not read feed.attached
    END IF;
    -- On an attached table, such a trigger is one of ours that was replaced, and feed.attach creates it again.
    RETURN QUERY
    SELECT format('table %s has a trigger %s of its own, and boardcast needs the name', target, t.tgname),
           format('Use ALTER TRIGGER %I ON %s RENAME TO another name.', t.tgname, target), 'duplicate_object'
    FROM pg_trigger AS t JOIN pg_proc AS p ON p.oid = t.tgfoid
    WHERE t.tgrelid = target AND NOT t.tgisinternal AND p.pronamespace <> 'feed'::regnamespace
      AND t.tgname IN ('feed_begin', 'feed_capture_insert', 'feed_capture_update', 'feed_capture_delete', 'feed_capture_truncate', 'zz_feed_version')
      AND NOT EXISTS (SELECT FROM feed.attached AS a WHERE a.relation = target)
    ORDER BY t.tgname;
END
$$;
COMMENT ON FUNCTION feed.table_obstacles(regclass) IS
    'Why a table cannot be attached, whatever its key: each reason, what to do, and the SQLSTATE; no row if it can. Used by feed.attach.';
