-- The life of one change, as far as it is known: what the log has of it, what the server says of its transaction, and what the
-- services have written down of their sweeps in the last hour. Beyond that an instance's cursor says that a change was told and not
-- when: at is then the moment at which the instance said so.
CREATE FUNCTION feed.explain(seq bigint) RETURNS TABLE (step text, at timestamptz, after interval, what text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, feed, pg_temp
AS $$
DECLARE
    change feed.trigger_log;
    here feed.identity;
    last bigint := (SELECT max(l.seq) FROM feed.log AS l);
    foreigner boolean := (SELECT l.era < i.first_era FROM feed.log AS l CROSS JOIN feed.identity AS i WHERE l.seq = explain.seq);
    wrote record;
    committed timestamptz;
    board text;
    host record;
    swept record;
BEGIN
    SELECT * INTO here FROM feed.identity;
    SELECT t.* INTO change FROM feed.trigger_log AS t WHERE t.seq = explain.seq;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'not there', NULL::timestamptz, NULL::interval, CASE
            WHEN explain.seq IS NULL OR explain.seq < 1 THEN 'no change has this number'
            WHEN explain.seq <= here.floor_seq THEN 'it was pruned, with all up to ' || here.floor_seq
            WHEN explain.seq > coalesce(last, 0) THEN 'not written yet, or not committed: the newest is ' || coalesce(last::text, 'none')
            -- Whoever writes to the log holds this until he has ended, also where he has prepared his commit.
            WHEN EXISTS (SELECT FROM pg_locks AS k JOIN pg_database AS d ON d.oid = k.database
                         WHERE k.relation = 'feed.log'::regclass AND d.datname = current_database() AND k.mode = 'RowExclusiveLock')
                THEN 'its transaction was rolled back, or is not committed yet: there are some in progress'
            ELSE 'its transaction was rolled back: numbers are not given out again' END;
        RETURN;
    END IF;
    IF NOT foreigner AND current_setting('track_commit_timestamp')::boolean
       AND pg_snapshot_xmax(pg_current_snapshot())::text::numeric - change.xid::text::numeric < 2 ^ 31 THEN
        committed := pg_xact_commit_timestamp(change.xid::xid);
    END IF;
    board := coalesce('board ' || change.board, CASE WHEN change.op IN ('truncate', 'reload') THEN 'any board' END);

    SELECT min(t.at) AS at, count(*) AS changes INTO wrote
    FROM (SELECT l.at FROM feed.log AS l WHERE l.xid BETWEEN change.xid AND change.xid LIMIT 1001) AS t;
    IF wrote.changes BETWEEN 2 AND 1000 THEN
        RETURN QUERY SELECT 'transaction', wrote.at, wrote.at - change.at, 'its first change; when it began is not recorded';
    END IF;
    RETURN QUERY SELECT 'write', change.at, interval '0',
        concat_ws(' ', change.op, 'of', change.relation, change.key, 'by', change.actor) || coalesce(': ' || change.changes, '');
    RETURN QUERY SELECT 'from', change.at, interval '0',
        concat_ws(', ', change.source, 'application ' || nullif(change.application, ''), 'database user ' || change.db_user,
                  'address ' || coalesce(pg_catalog.host(change.client_addr), 'local'), 'pid ' || change.pid, 'origin ' || change.origin,
                  'trace ' || split_part(change.traceparent, '-', 2));
    RETURN QUERY SELECT 'commit', committed, committed - change.at, 'transaction ' || change.xid || ', change ' || change.step
        || CASE WHEN foreigner THEN '; in another cluster, whose log this was' WHEN committed IS NULL THEN '; when is not known' ELSE '' END;
    RETURN QUERY SELECT 'bell', committed, committed - change.at,
        CASE WHEN change.rang THEN 'the transaction rang, at its commit'
             ELSE 'not rung: a pacer was reading the log every few milliseconds and rang for it, or bells were silenced' END;

    FOR host IN
        SELECT coalesce(i.instance, s.instance) AS name, i.cursor, i.beat, i.started, i.connections
        FROM feed.instances AS i
        FULL JOIN (SELECT DISTINCT w.instance FROM feed.sweeps AS w WHERE w.told >= change.at) AS s ON s.instance = i.instance
        WHERE NOT foreigner ORDER BY i.started, 1
    LOOP
        SELECT w.* INTO swept FROM feed.sweeps AS w
        WHERE w.instance = host.name AND w.told >= change.at
          AND feed.has_seen(w.cursor, change.xid) AND NOT feed.has_seen(w.since, change.xid)
        ORDER BY w.told LIMIT 1;
        IF FOUND THEN
            RETURN QUERY SELECT 'sweep', swept.read, swept.read - change.at, host.name || ': '
                || CASE WHEN swept.sweeps = 1 THEN 'changes read: ' || swept.events
                        ELSE format('changes read: %s, in %s sweeps, the first of them then', swept.events, swept.sweeps) END;
            RETURN QUERY SELECT 'told', swept.told, swept.told - change.at, host.name || ': ' || CASE
                WHEN board IS NULL THEN 'nobody: it is of no board'
                WHEN change.board IS NULL THEN format('all of its %s clients', swept.clients)
                WHEN swept.boards IS NULL THEN format('those of its %s clients who see %s', swept.clients, board)
                ELSE format('%s of its %s clients, who see %s', coalesce(swept.boards ->> change.board, '0'), swept.clients, board) END
                || CASE WHEN swept.sweeps > 1 THEN ', by then' ELSE '' END
                || CASE WHEN swept.late > 0 THEN format('; %s were slow, and are told from the log', swept.late) ELSE '' END;
        ELSIF host.cursor IS NOT NULL THEN
            RETURN QUERY SELECT 'told', host.beat, host.beat - change.at, host.name || ': ' || CASE
                WHEN NOT feed.has_seen(host.cursor, change.xid) THEN 'not yet, when it last said so'
                WHEN host.started > change.at THEN 'began later: its clients had it in what they loaded, or were caught up'
                WHEN board IS NULL THEN 'nobody: it is of no board'
                ELSE format('by then, those of its %s clients who see %s; when is kept for an hour', host.connections, board) END;
        END IF;
        RETURN QUERY SELECT 'shown', min(a.oldest), min(a.oldest) - change.at,
                format('%s: by %s of its clients, who hold a cursor that has it: %s', host.name, sum(a.clients),
                       string_agg(format('%s (%s)', a.cursor, a.clients), ', ' ORDER BY a.clients DESC))
            FROM (SELECT * FROM feed.acks AS n WHERE n.instance = host.name AND feed.has_seen(n.cursor, change.xid)
                  ORDER BY n.clients DESC LIMIT 5) AS a
            HAVING count(*) > 0;
        RETURN QUERY SELECT 'not shown', max(a.newest), max(a.newest) - change.at,
                format('%s: by %s of its clients, who held a cursor that has it not', host.name, sum(a.clients))
            FROM feed.acks AS a WHERE a.instance = host.name AND NOT feed.has_seen(a.cursor, change.xid)
            HAVING count(*) > 0;
    END LOOP;
    RETURN QUERY SELECT 'since then', max(l.at), max(l.at) - change.at, 'later changes of the row: ' || count(*)
        FROM feed.log AS l WHERE l.relation = change.relation AND l.key = change.key AND l.seq > change.seq;
END
$$;
COMMENT ON FUNCTION feed.explain(bigint) IS
    'The life of one change by its seq, each step with how long after the write it was: transaction, commit (needs track_commit_timestamp), doorbell, which instances have told it to how many clients and when (known for an hour), which cursors show that it arrived, what came after.';
