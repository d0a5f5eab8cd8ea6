-- One row per question that an operator would ask, each with what to do about a bad answer.
CREATE VIEW feed.health AS
WITH alive AS (
    SELECT * FROM feed.listeners WHERE alive
), activity AS (
    SELECT pid, xact_start, application_name FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start < clock_timestamp() - interval '5 min'
    ORDER BY xact_start LIMIT 1
)
SELECT 1 AS nr, 'instances' AS topic,
       CASE WHEN count(*) FILTER (WHERE alive) = 0 THEN 'bad' WHEN bool_and(alive) THEN 'ok' ELSE 'warning' END AS status,
       count(*) FILTER (WHERE alive) || ' alive, ' || count(*) FILTER (WHERE NOT alive) || ' silent' AS found,
       CASE WHEN bool_and(alive) IS NOT TRUE
            THEN 'Start boardcast feed. A silent instance was killed, is stopped, or cannot reach the database: SELECT * FROM feed.listeners.' END AS cure
FROM feed.listeners
UNION ALL
SELECT 2, 'listeners', CASE WHEN bool_and(listens) THEN 'ok' WHEN count(*) = 0 THEN 'unknown' ELSE 'bad' END,
       count(*) FILTER (WHERE listens) || ' of ' || count(*) || ' hear the doorbell',
       CASE WHEN NOT bool_and(listens)
            THEN 'Changes take up to a second. If it lasts, set LISTEN_DATABASE_URL to a direct connection: a pooler carries no LISTEN.' END
FROM alive
UNION ALL
SELECT 3, 'sweeps',
       CASE WHEN count(*) = 0 THEN 'unknown' WHEN max(idle) < interval '3 s' THEN 'ok'
            WHEN max(idle) < interval '10 s' THEN 'warning' ELSE 'bad' END,
       coalesce('the slowest last read the log ' || round(extract(epoch FROM max(idle)), 1) || ' s before it said so', 'no instance'),
       CASE WHEN max(idle) >= interval '3 s'
            THEN 'It reads the log once a second (BOARDCAST_SWEEP): look at its log, and at its backend in feed.listeners.' END
FROM alive
UNION ALL
SELECT 4, 'lag',
       CASE WHEN count(*) = 0 THEN 'unknown' WHEN max(since) < interval '2 s' THEN 'ok'
            WHEN max(since) < interval '10 s' THEN 'warning' ELSE 'bad' END,
       coalesce('at most ' || max(behind) || ' changes, ' || round(extract(epoch FROM max(since)), 1) || ' s', 'no instance'),
       CASE WHEN max(since) >= interval '2 s'
            THEN 'SELECT * FROM feed.lag. One instance: restart it. All: the database is slow, or a transaction is very large.' END
FROM feed.lag WHERE alive
UNION ALL
SELECT 5, 'notify queue', CASE WHEN usage < 0.1 THEN 'ok' WHEN usage < 0.5 THEN 'warning' ELSE 'bad' END,
       round(usage::numeric * 100, 1) || ' % full',
       CASE WHEN usage >= 0.1
            THEN 'A session that LISTENs does not read, or is in a long transaction: end the oldest in pg_stat_activity. When it is full, writes fail.' END
FROM pg_notification_queue_usage() AS usage
UNION ALL
SELECT 6, 'triggers', CASE WHEN off.names IS NULL THEN 'ok' ELSE 'bad' END,
       coalesce(off.names, (SELECT count(DISTINCT relation) FROM feed.triggers WHERE function = 'capture') || ' tables are fed'),
       CASE WHEN off.names IS NOT NULL AND EXISTS (SELECT FROM feed.flags AS f WHERE f.flag = 'capture')
            THEN 'Capture is switched off: boardcast flags capture on.'
            WHEN off.names IS NOT NULL
            THEN 'Writes go past the feed. ALTER TABLE … ENABLE TRIGGER …, or SELECT feed.attach(…) anew for a missing one, or a stale one, of which a column was renamed.' END
FROM (SELECT string_agg(format('%s on %s is %s', trigger, relation, state), ', ' ORDER BY relation::text, trigger) AS names
      FROM feed.triggers WHERE state NOT IN ('on', 'always')) AS off
UNION ALL
SELECT 7, 'replication role', CASE WHEN s.roles IS NULL THEN 'ok' ELSE 'bad' END,
       coalesce('replica is set for ' || s.roles, 'nobody is set to write past the triggers'),
       CASE WHEN s.roles IS NOT NULL THEN 'ALTER ROLE (or DATABASE) … RESET session_replication_role: what they write is not logged.' END
FROM (SELECT string_agg(coalesce(r.rolname, 'all'), ', ') AS roles
      FROM pg_db_role_setting AS g
      LEFT JOIN pg_roles AS r ON r.oid = g.setrole
      WHERE g.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
        AND 'session_replication_role=replica' = ANY (g.setconfig)) AS s
UNION ALL
SELECT 8, 'transactions',
       CASE WHEN a.pid IS NOT NULL THEN 'warning' WHEN pg_has_role('pg_read_all_stats', 'USAGE') THEN 'ok' ELSE 'unknown' END,
       CASE WHEN a.pid IS NOT NULL
            THEN format('pid %s (%s) is in one since %s', a.pid, a.application_name, date_trunc('second', a.xact_start))
            WHEN pg_has_role('pg_read_all_stats', 'USAGE') THEN 'none is older than 5 minutes' ELSE 'you may not see those of others' END,
       CASE WHEN a.pid IS NOT NULL THEN 'It holds up vacuum, not the feed; its own changes are told when it commits. pg_terminate_backend(pid) ends it.'
            WHEN NOT pg_has_role('pg_read_all_stats', 'USAGE') THEN 'GRANT pg_read_all_stats TO feed_dba.' END
FROM (SELECT) AS one LEFT JOIN activity AS a ON true
UNION ALL
SELECT 9, 'prepared transactions', CASE WHEN count(*) = 0 THEN 'ok' ELSE 'warning' END,
       count(*) || ' older than a minute' || coalesce(': ' || min(gid), ''),
       CASE WHEN count(*) > 0 THEN 'COMMIT PREPARED or ROLLBACK PREPARED: forgotten ones hold up vacuum for ever. None of them has a change of a fed table.' END
FROM pg_prepared_xacts WHERE database = current_database() AND prepared < clock_timestamp() - interval '1 min'
UNION ALL
SELECT 10, 'doorbell', CASE WHEN p.silent THEN 'warning' WHEN p.mode NOT IN ('calm', 'silent') AND p.until < clock_timestamp() - interval '10 s' THEN 'warning' ELSE 'ok' END,
       CASE WHEN p.silent THEN 'nobody rings: the log is read once a second'
            WHEN p.until < clock_timestamp() OR p.mode IN ('calm', 'silent') THEN 'every write rings' ELSE p.instance || ' rings: ' || p.mode END,
       CASE WHEN p.silent THEN 'It is switched off: boardcast flags bell on.'
            WHEN p.mode NOT IN ('calm', 'silent') AND p.until < clock_timestamp() - interval '10 s'
            THEN 'The pacer went without a word, and nobody took its place: see instances. Until then every write rings, which is slower with many writers.' END
FROM feed.pacer AS p
UNION ALL
SELECT 11, 'history', CASE WHEN same THEN 'ok' ELSE 'warning' END,
       format('feed %s, since %s: %s', i.feed_id, date_trunc('second', i.renewed_at), i.reason),
       CASE WHEN NOT same THEN 'Another cluster or timeline than its cursors were made on: the first service that connects renews it.' END
FROM feed.identity AS i
CROSS JOIN LATERAL (SELECT (i.system_identifier, i.timeline)
                           = (SELECT system_identifier::text, left(pg_walfile_name(pg_current_wal_lsn()), 8) FROM pg_control_system()) AS same) AS s
UNION ALL
SELECT 12, 'log', CASE WHEN sum(bytes) < 10 * 1024 ^ 3 THEN 'ok' ELSE 'warning' END,
       format('%s in %s, about %s changes', pg_size_pretty(sum(bytes)), 'feed.log', sum(changes))
       || coalesce(', the oldest of ' || date_trunc('second', min(first_at)), ''),
       CASE WHEN sum(bytes) >= 10 * 1024 ^ 3
            THEN 'Keep less (boardcast retain), forget some now (boardcast prune --before 30d), or a larger disk.' END
FROM feed.retention
UNION ALL
SELECT 13, 'partitions', CASE WHEN next.piece IS NULL OR stray.first_seq IS NOT NULL THEN 'warning' ELSE 'ok' END,
       CASE WHEN stray.first_seq IS NOT NULL THEN 'log_default has changes, from seq ' || stray.first_seq
            WHEN next.piece IS NULL THEN format('the next one, log_%s, is missing', e.last_value + 1)
            ELSE 'the next one is ready; kept for ' || k.retention END,
       CASE WHEN stray.first_seq IS NOT NULL THEN 'Somebody dropped a partition. They are read like all others, and dropped when they are old.'
            WHEN next.piece IS NULL THEN 'A running service makes it within a minute: look at its log. Until then a new era goes to log_default.' END
FROM feed.keeper AS k
CROSS JOIN feed.era AS e
LEFT JOIN feed.retention AS next ON next.piece = to_regclass(format('feed.log_%s', e.last_value + 1))
LEFT JOIN feed.retention AS stray ON stray.piece = to_regclass('feed.log_default')
UNION ALL
SELECT 14, 'flags', CASE WHEN f.capture IS NOT NULL THEN 'bad' WHEN f.bell IS NOT NULL THEN 'warning' ELSE 'ok' END,
       coalesce(nullif(concat_ws('; ', f.capture, f.bell, nullif(f.realtime, '')), ''), 'none is set: websocket for everybody'),
       CASE WHEN f.capture IS NOT NULL THEN 'Nothing is logged and nobody is told. When the reason is gone: boardcast flags capture on.'
            WHEN f.bell IS NOT NULL THEN 'People are told up to a second later. When the reason is gone: boardcast flags bell on.' END
FROM (SELECT max(format('capture is off since %s, by %s', date_trunc('second', at), who)) FILTER (WHERE flag = 'capture') AS capture,
             max(format('the bell is off since %s, by %s', date_trunc('second', at), who)) FILTER (WHERE flag = 'bell') AS bell,
             concat_ws(', ', max('realtime is ' || value || ' for everybody') FILTER (WHERE flag = 'realtime' AND scope = 'everybody'),
                       max(format('realtime is %s for %s %%', value, share)) FILTER (WHERE flag = 'realtime' AND scope = 'share'),
                       nullif(count(*) FILTER (WHERE flag = 'realtime' AND scope = 'user'), 0) || ' users have their own') AS realtime
      FROM feed.flags) AS f;
COMMENT ON VIEW feed.health IS 'Is the feed well? One row per check, with its cure. Only the bad ones: WHERE status <> ''ok''. Ask the primary.';
COMMENT ON COLUMN feed.health.nr IS 'To sort by';
COMMENT ON COLUMN feed.health.topic IS 'What is checked';
COMMENT ON COLUMN feed.health.status IS 'ok; warning: look at it today; bad: people are not told, or not at once; unknown: it cannot be told, see found';
COMMENT ON COLUMN feed.health.found IS 'What was found';
COMMENT ON COLUMN feed.health.cure IS 'What to do; null where all is well';
