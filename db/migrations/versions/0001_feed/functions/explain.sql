-- The life of a change as far as it is known: its row in the log, what the server knows about its transaction, and the
-- delivery journal of the last hour. For an older change, the cursor of an instance shows that it was delivered, but not
-- when: at is then the time of the instance's report.
CREATE FUNCTION feed.explain(seq bigint) RETURNS TABLE (step text, at timestamptz, after interval, what text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, feed, pg_temp
AS $$
DECLARE
    change feed.trigger_log;
    identity feed.identity;
    last bigint := (SELECT max(l.seq) FROM feed.log AS l);
    other_cluster boolean := (SELECT l.partition_number < i.first_partition FROM feed.log AS l CROSS JOIN feed.identity AS i WHERE l.seq = explain.seq);
    wrote record;
    committed timestamptz;
    board text;
    host record;
    journal record;
BEGIN
    SELECT * INTO identity FROM feed.identity;
    SELECT t.* INTO change FROM feed.trigger_log AS t WHERE t.seq = explain.seq;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'not found', NULL::timestamptz, NULL::interval, CASE
            WHEN explain.seq IS NULL OR explain.seq < 1 THEN 'no change has this sequence number'
            WHEN explain.seq <= identity.floor_seq THEN 'pruned, together with all changes up to ' || identity.floor_seq
            WHEN explain.seq > coalesce(last, 0) THEN 'not written yet, or not committed: the newest is ' || coalesce(last::text, 'none')
            -- A transaction that writes to the log holds this lock until it ends, even after PREPARE TRANSACTION.
            WHEN EXISTS (SELECT FROM pg_locks AS k JOIN pg_database AS d ON d.oid = k.database
                         WHERE k.relation = 'feed.log'::regclass AND d.datname = current_database() AND k.mode = 'RowExclusiveLock')
                THEN 'its transaction was rolled back or is not committed yet: some transactions are in progress'
            ELSE 'its transaction was rolled back: sequence numbers are not reused' END;
        RETURN;
    END IF;
    IF NOT other_cluster AND current_setting('track_commit_timestamp')::boolean
       AND pg_snapshot_xmax(pg_current_snapshot())::text::numeric - change.xid::text::numeric < 2 ^ 31 THEN
        committed := pg_xact_commit_timestamp(change.xid::xid);
    END IF;
    board := coalesce('board ' || change.board, CASE WHEN change.op IN ('truncate', 'reload') THEN 'any board' END);

    SELECT min(t.at) AS at, count(*) AS changes INTO wrote
    FROM (SELECT l.at FROM feed.log AS l WHERE l.xid BETWEEN change.xid AND change.xid LIMIT 1001) AS t;
    IF wrote.changes BETWEEN 2 AND 1000 THEN
        RETURN QUERY SELECT 'transaction', wrote.at, wrote.at - change.at, 'first change of the transaction; its start time is not recorded';
    END IF;
    RETURN QUERY SELECT 'write', change.at, interval '0',
        concat_ws(' ', change.op, 'of', change.relation, change.key, 'by', change.actor) || coalesce(': ' || change.changes, '');
    RETURN QUERY SELECT 'from', change.at, interval '0',
        concat_ws(', ', change.source, 'application ' || nullif(change.application, ''), 'database user ' || change.db_user,
                  'address ' || coalesce(pg_catalog.host(change.client_addr), 'local'), 'pid ' || change.pid, 'origin ' || change.origin,
                  'trace ' || split_part(feed.valid_traceparent(change.traceparent), '-', 2));
    RETURN QUERY SELECT 'commit', committed, committed - change.at, 'transaction ' || change.xid || ', change ' || change.step
        || CASE WHEN other_cluster THEN '; written in another cluster' WHEN committed IS NULL THEN '; commit time not known' ELSE '' END;
    RETURN QUERY SELECT 'notify', committed, committed - change.at,
        CASE WHEN change.notified THEN 'sent by the transaction, at commit'
             ELSE 'not sent by the transaction: the pacer was reading the log every few milliseconds and sent it, or NOTIFY was switched off' END;

    FOR host IN
        SELECT coalesce(i.instance, s.instance) AS name, i.cursor, i.reported_at, i.started, i.connections
        FROM feed.instances AS i
        FULL JOIN (SELECT DISTINCT w.instance FROM feed.delivery_journal AS w WHERE w.delivered_at >= change.at) AS s ON s.instance = i.instance
        WHERE NOT other_cluster ORDER BY i.started, 1
    LOOP
        SELECT w.* INTO journal FROM feed.delivery_journal AS w
        WHERE w.instance = host.name AND w.delivered_at >= change.at
          AND feed.has_seen(w.cursor, change.xid) AND NOT feed.has_seen(w.since, change.xid)
        ORDER BY w.delivered_at LIMIT 1;
        IF FOUND THEN
            RETURN QUERY SELECT 'read', journal.read_at, journal.read_at - change.at, host.name || ': '
                || CASE WHEN journal.reads = 1 THEN 'changes read: ' || journal.events
                        ELSE format('changes read: %s, in %s read passes, the first at this time', journal.events, journal.reads) END;
            RETURN QUERY SELECT 'delivered', journal.delivered_at, journal.delivered_at - change.at, host.name || ': ' || CASE
                WHEN board IS NULL THEN 'to nobody: the change belongs to no board'
                WHEN change.board IS NULL THEN format('to all of its %s clients', journal.clients)
                WHEN journal.boards IS NULL THEN format('to those of its %s clients that see %s', journal.clients, board)
                ELSE format('to %s of its %s clients, those that see %s', coalesce(journal.boards ->> change.board, '0'), journal.clients, board) END
                || CASE WHEN journal.reads > 1 THEN ', by this time' ELSE '' END
                || CASE WHEN journal.late > 0 THEN format('; slow clients, which get it from the log later: %s', journal.late) ELSE '' END;
        ELSIF host.cursor IS NOT NULL THEN
            RETURN QUERY SELECT 'delivered', host.reported_at, host.reported_at - change.at, host.name || ': ' || CASE
                WHEN NOT feed.has_seen(host.cursor, change.xid) THEN 'not yet at its last report'
                WHEN host.started > change.at THEN 'started later: its clients loaded it in a snapshot or caught up'
                WHEN board IS NULL THEN 'to nobody: the change belongs to no board'
                ELSE format('by this time, to those of its %s clients that see %s; exact times are kept for an hour', host.connections, board) END;
        END IF;
        RETURN QUERY SELECT 'confirmed', min(a.oldest), min(a.oldest) - change.at,
                format('%s: by %s of its clients, with a cursor that covers it: %s', host.name, sum(a.clients),
                       string_agg(format('%s (%s)', a.cursor, a.clients), ', ' ORDER BY a.clients DESC))
            FROM (SELECT * FROM feed.client_positions AS n WHERE n.instance = host.name AND feed.has_seen(n.cursor, change.xid)
                  ORDER BY n.clients DESC LIMIT 5) AS a
            HAVING count(*) > 0;
        RETURN QUERY SELECT 'not confirmed', max(a.newest), max(a.newest) - change.at,
                format('%s: by %s of its clients, whose last confirmed cursor does not cover it', host.name, sum(a.clients))
            FROM feed.client_positions AS a WHERE a.instance = host.name AND NOT feed.has_seen(a.cursor, change.xid)
            HAVING count(*) > 0;
    END LOOP;
    RETURN QUERY SELECT 'since then', max(l.at), max(l.at) - change.at, 'later changes to the row: ' || count(*)
        FROM feed.log AS l WHERE l.relation = change.relation AND l.key = change.key AND l.seq > change.seq;
END
$$;
COMMENT ON FUNCTION feed.explain(bigint) IS
    'The life of one change, by its seq, with the time of each step and the interval after the write: transaction, write, commit (needs track_commit_timestamp), NOTIFY, which instances delivered it to how many clients (known for an hour), which clients confirmed it, and later changes to the row.';
