-- Disables the feed's triggers on all attached tables at once, or enables them again. Two things stay on: the versions of
-- opportunities, which ETags depend on, and capture of feed.flags, which announces the switch. Writes made while capture is
-- off are not logged, including changes of membership. So switching it on again invalidates all cursors: every client
-- reloads, and the services read the memberships again.
--
-- All locks are acquired within 900 ms, or none. A writer that waits for a lock checks for a deadlock only after a second
-- (deadlock_timeout), so in a deadlock this function gives up and never the writer. If it fails, try again.
CREATE FUNCTION feed.set_capture(captures boolean) RETURNS SETOF regclass
LANGUAGE plpgsql
SET search_path = pg_catalog, feed, pg_temp
SET lock_timeout = '900ms'
AS $$
DECLARE
    deadline CONSTANT timestamptz := clock_timestamp() + interval '900 ms';
    was_off CONSTANT boolean := EXISTS (SELECT FROM feed.flags AS f WHERE f.flag = 'capture');
    tables regclass[];
    not_owned record;
    locked regclass;
    each record;
    always jsonb;
BEGIN
    IF captures IS NULL THEN
        RETURN;
    END IF;
    SELECT array_agg(DISTINCT t.relation::oid ORDER BY t.relation::oid) INTO tables
    FROM feed.triggers AS t
    WHERE t.function IN ('capture', 'begin_statement') AND t.relation <> 'feed.flags'::regclass
      AND t.state = ANY (CASE WHEN captures THEN '{disabled}' ELSE '{on,always,stale,renamed}' END::text[]);
    tables := coalesce(tables, '{}');
    SELECT c.oid::regclass AS name, pg_get_userbyid(c.relowner) AS owner INTO not_owned
    FROM pg_class AS c WHERE c.oid = ANY (tables) AND NOT pg_has_role(c.relowner, 'USAGE') LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'table % is owned by %, and only its owner can enable or disable its triggers', not_owned.name, quote_ident(not_owned.owner)
            USING ERRCODE = 'insufficient_privilege',
                  HINT = format('GRANT %I TO %I, or run this as a superuser.', not_owned.owner, current_user);
    END IF;
    IF current_setting('synchronous_commit') = 'off' THEN
        PERFORM set_config('synchronous_commit', 'local', true);
    END IF;
    FOREACH locked IN ARRAY tables LOOP
        PERFORM set_config('lock_timeout', greatest(1, extract(epoch FROM deadline - clock_timestamp()) * 1000)::integer::text, true);
        EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', locked);
    END LOOP;

    IF captures THEN
        DELETE FROM feed.flags AS f WHERE f.flag = 'capture' RETURNING f.always_triggers INTO always;
    ELSE
        SELECT jsonb_object_agg(a.name, a.triggers) INTO always
        FROM (SELECT t.relation::text AS name, jsonb_agg(t.trigger) AS triggers FROM feed.triggers AS t
              WHERE t.relation = ANY (tables) AND t.state = 'always' GROUP BY t.relation) AS a;
        INSERT INTO feed.flags AS f (flag, scope, value, always_triggers) VALUES ('capture', 'everybody', 'off', always)
        ON CONFLICT (flag, scope, user_id) DO UPDATE SET always_triggers = coalesce(f.always_triggers, '{}') || coalesce(excluded.always_triggers, '{}');
    END IF;
    FOR each IN
        SELECT t.relation, t.trigger FROM feed.triggers AS t
        WHERE t.relation = ANY (tables) AND t.function IN ('capture', 'begin_statement') AND t.state <> 'missing'
    LOOP
        EXECUTE format('ALTER TABLE %s %s TRIGGER %I', each.relation,
                       CASE WHEN NOT captures THEN 'DISABLE' WHEN always -> each.relation::text ? each.trigger THEN 'ENABLE ALWAYS' ELSE 'ENABLE' END,
                       each.trigger);
    END LOOP;
    IF captures AND (was_off OR tables <> '{}') THEN
        PERFORM feed.reset_feed('capture was off');
    END IF;
    RETURN QUERY SELECT unnest(tables);
END
$$;
COMMENT ON FUNCTION feed.set_capture(boolean) IS
    'Switches logging of writes on or off, and returns the tables affected. Off: the feed''s triggers are disabled on all attached tables, and no user is offered live updates. Switching it on again renews the feed ID, so that every client reloads; run boardcast verify --repair afterwards. Waits for writers for at most 0.9 s in total, then fails with SQLSTATE 55P03.';
