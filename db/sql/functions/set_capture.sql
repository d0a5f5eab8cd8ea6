-- Takes the feed's triggers off all fed tables at once, or puts them back. Off is off altogether, but for the version of opportunities,
-- which ETags stand on, and for feed.flags, by which it is told. What is written meanwhile no log knows, nor who was let in and out: so on the
-- way back all cursors are of another feed, everybody loads anew, and services read the membership again.
--
-- All locks are had within 900 ms, or none: a writer who waits for one looks for a deadlock only after a second (deadlock_timeout), so
-- it is never he who is thrown out. Who is refused tries again.
CREATE FUNCTION feed.set_capture(captures boolean) RETURNS SETOF regclass
LANGUAGE plpgsql
SET search_path = pg_catalog, feed, pg_temp
SET lock_timeout = '900ms'
AS $$
DECLARE
    deadline CONSTANT timestamptz := clock_timestamp() + interval '900 ms';
    thrown CONSTANT boolean := EXISTS (SELECT FROM feed.flags AS f WHERE f.flag = 'capture');
    tables regclass[];
    foreign_one record;
    fed regclass;
    each record;
    always jsonb;
BEGIN
    IF captures IS NULL THEN
        RETURN;
    END IF;
    SELECT array_agg(DISTINCT t.relation::oid ORDER BY t.relation::oid) INTO tables
    FROM feed.triggers AS t
    WHERE t.function IN ('capture', 'guard_key', 'name_author') AND t.relation <> 'feed.flags'::regclass
      AND t.state = ANY (CASE WHEN captures THEN '{disabled}' ELSE '{on,always,stale}' END::text[]);
    tables := coalesce(tables, '{}');
    SELECT c.oid::regclass AS name, pg_get_userbyid(c.relowner) AS owner INTO foreign_one
    FROM pg_class AS c WHERE c.oid = ANY (tables) AND NOT pg_has_role(c.relowner, 'USAGE') LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'table % is owned by %, and only its owner can take triggers off it', foreign_one.name, quote_ident(foreign_one.owner)
            USING ERRCODE = 'insufficient_privilege',
                  HINT = format('GRANT %I TO %I, or do it as a superuser.', foreign_one.owner, current_user);
    END IF;
    IF current_setting('synchronous_commit') = 'off' THEN
        PERFORM set_config('synchronous_commit', 'local', true);
    END IF;
    FOREACH fed IN ARRAY tables LOOP
        PERFORM set_config('lock_timeout', greatest(1, extract(epoch FROM deadline - clock_timestamp()) * 1000)::integer::text, true);
        EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', fed);
    END LOOP;

    IF captures THEN
        DELETE FROM feed.flags AS f WHERE f.flag = 'capture' RETURNING f.kept INTO always;
    ELSE
        SELECT jsonb_object_agg(a.name, a.triggers) INTO always
        FROM (SELECT t.relation::text AS name, jsonb_agg(t.trigger) AS triggers FROM feed.triggers AS t
              WHERE t.relation = ANY (tables) AND t.state = 'always' GROUP BY t.relation) AS a;
        INSERT INTO feed.flags AS f (flag, scope, value, kept) VALUES ('capture', 'everybody', 'off', always)
        ON CONFLICT (flag, scope, user_id) DO UPDATE SET kept = coalesce(f.kept, '{}') || coalesce(excluded.kept, '{}');
    END IF;
    FOR each IN
        SELECT t.relation, t.trigger FROM feed.triggers AS t
        WHERE t.relation = ANY (tables) AND t.function IN ('capture', 'guard_key', 'name_author') AND t.state <> 'missing'
    LOOP
        EXECUTE format('ALTER TABLE %s %s TRIGGER %I', each.relation,
                       CASE WHEN NOT captures THEN 'DISABLE' WHEN always -> each.relation::text ? each.trigger THEN 'ENABLE ALWAYS' ELSE 'ENABLE' END,
                       each.trigger);
    END LOOP;
    IF captures AND (thrown OR tables <> '{}') THEN
        PERFORM feed.reset_feed('capture was off');
    END IF;
    RETURN QUERY SELECT unnest(tables);
END
$$;
COMMENT ON FUNCTION feed.set_capture(boolean) IS
    'Whether writes are logged. If not, the feed''s triggers are disabled on all fed tables (which are told), and nobody is offered anything live. Put back on, the feed is another, so that everybody loads anew; then run boardcast verify --repair. Waits for writers 0.9 s at most, all together, and is refused (55P03) where they take longer.';
