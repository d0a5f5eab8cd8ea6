-- The life of one change, as far as it is stored. An instance's cursor says that a change was told; when, it does not say: at is
-- then the moment at which the instance said so, and the telling was before it.
CREATE FUNCTION feed.explain(seq bigint) RETURNS TABLE (step text, at timestamptz, what text)
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    change feed.trigger_log;
    floor bigint := (SELECT i.floor_seq FROM feed.identity AS i);
    last bigint := (SELECT max(l.seq) FROM feed.log AS l);
BEGIN
    SELECT t.* INTO change FROM feed.trigger_log AS t WHERE t.seq = explain.seq;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'not there', NULL::timestamptz, CASE
            WHEN explain.seq IS NULL OR explain.seq < 1 THEN 'no change has this number'
            WHEN explain.seq <= floor THEN 'it was pruned, with all up to ' || floor
            WHEN explain.seq > coalesce(last, 0) THEN 'not written yet, or not committed: the newest is ' || coalesce(last::text, 'none')
            ELSE 'its transaction was rolled back, or is not committed yet: numbers are not given out again' END;
        RETURN;
    END IF;

    RETURN QUERY SELECT 'write', change.at,
        concat_ws(' ', change.op, 'of', change.relation, change.key, 'by', change.actor) || coalesce(': ' || change.changes, '');
    RETURN QUERY SELECT 'from', change.at,
        concat_ws(', ', change.source, 'application ' || nullif(change.application, ''), 'database user ' || change.db_user,
                  'address ' || coalesce(host(change.client_addr), 'local'), 'pid ' || change.pid, 'origin ' || change.origin);
    RETURN QUERY SELECT 'commit',
        CASE WHEN current_setting('track_commit_timestamp')::boolean
              AND pg_snapshot_xmax(pg_current_snapshot())::text::numeric - change.xid::text::numeric < 2 ^ 31
             THEN pg_xact_commit_timestamp(change.xid::xid) END,
        'transaction ' || change.xid || ', change ' || change.step;
    RETURN QUERY SELECT 'bell', change.at,
        CASE WHEN change.rang THEN 'the transaction rang, at its commit' ELSE 'not rung: a pacer was reading the log every few milliseconds, and rang for it' END;
    RETURN QUERY SELECT i.instance, i.beat,
        CASE WHEN NOT feed.has_seen(i.cursor, change.xid) THEN 'had not told it yet'
             WHEN i.started > change.at THEN 'began later: its clients had it in what they loaded, or were caught up'
             WHEN change.board IS NULL AND change.op <> 'truncate' THEN 'has passed it: it is of no board, so no client is told'
             ELSE 'has told it: of its ' || i.connections || ' clients those who see board ' || coalesce(change.board, '(any)')
                  || ' have it, or are being caught up' END
        FROM feed.instances AS i ORDER BY i.started;
    RETURN QUERY SELECT 'since then', max(l.at), count(*) || ' later changes of the row'
        FROM feed.log AS l WHERE l.relation = change.relation AND l.key = change.key AND l.seq > change.seq;
END
$$;
COMMENT ON FUNCTION feed.explain(bigint) IS
    'The life of one change by its seq: the write, its transaction, the doorbell, which instances have told it, what came after. When it was committed needs track_commit_timestamp.';
