-- One row per question that an operator would ask, each with what to do about a bad answer: a command to paste, and behind -- or # why.
CREATE VIEW feed.health AS
WITH alive AS (
    SELECT * FROM feed.listeners WHERE alive
), activity AS (
    SELECT pid, xact_start, application_name, state, row_number() OVER (ORDER BY xact_start) AS nth FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start < clock_timestamp() - interval '5 min'
), pins AS (
    -- Who LISTENs, only his own session knows. One that is behind waits for its client to take what it is sent, or is in a transaction, until
    -- whose end it is told nothing. The queue is the cluster's.
    SELECT pid, application_name, datname, wait_event = 'ClientWrite' AS stuck, coalesce(xact_start, state_change) AS since,
           row_number() OVER (ORDER BY wait_event IS DISTINCT FROM 'ClientWrite', coalesce(xact_start, state_change)) AS nth
    FROM pg_stat_activity
    WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'
      AND coalesce(xact_start, state_change) < clock_timestamp() - interval '10 s' AND (wait_event = 'ClientWrite' OR xact_start IS NOT NULL)
), eras AS (
    SELECT e.last_value + n.n AS era, format('feed.log_%s', e.last_value + n.n) AS name, n.n AS ahead
    FROM feed.era AS e CROSS JOIN (VALUES (0), (1)) AS n(n)
), places AS (
    -- Attached, taken off and still there, or gone.
    SELECT s.era, s.name, s.ahead, i.inhrelid IS NOT NULL AS attached, c.oid IS NOT NULL AS there
    FROM (SELECT era, name, ahead FROM eras
          UNION
          SELECT substring(relname FROM '^log_(\d+)$')::bigint, format('feed.%I', relname), NULL FROM pg_class
          WHERE relnamespace = 'feed'::regnamespace AND relkind = 'r' AND relname ~ '^log_\d+$' AND NOT relispartition
            AND format('feed.%I', relname) NOT IN (SELECT name FROM eras)
          UNION
          SELECT NULL, 'feed.log_default', NULL) AS s
    LEFT JOIN pg_class AS c ON c.oid = to_regclass(s.name)
    LEFT JOIN pg_inherits AS i ON i.inhrelid = c.oid AND i.inhparent = 'feed.log'::regclass
)
SELECT 1 AS nr, 'instances' AS topic,
       CASE WHEN count(*) FILTER (WHERE alive) = 0 THEN 'bad' WHEN bool_and(alive) THEN 'ok' ELSE 'warning' END AS status,
       count(*) FILTER (WHERE alive) || ' alive, ' || count(*) FILTER (WHERE NOT alive) || ' silent' AS found,
       CASE WHEN count(*) FILTER (WHERE alive) = 0 THEN 'boardcast feed # nobody is told of changes'
            WHEN NOT bool_and(alive)
            THEN 'SELECT * FROM feed.listeners WHERE NOT alive; -- it was killed, is stopped, or cannot reach the database; after five minutes it is forgotten' END AS cure
FROM feed.listeners
UNION ALL
SELECT 2, 'listeners', CASE WHEN bool_and(listens) THEN 'ok' WHEN count(*) = 0 THEN 'unknown' ELSE 'bad' END,
       count(*) FILTER (WHERE listens) || ' of ' || count(*) || ' hear the doorbell',
       CASE WHEN NOT bool_and(listens)
            THEN 'boardcast doctor # with the settings of ' || string_agg(instance, ', ') FILTER (WHERE NOT listens)
                 || '. Changes take up to a second. If it lasts, set LISTEN_DATABASE_URL to a direct connection: a pooler carries no LISTEN' END
FROM alive
UNION ALL
SELECT 3, 'sweeps',
       CASE WHEN count(*) = 0 THEN 'unknown' WHEN max(idle) < interval '3 s' THEN 'ok'
            WHEN max(idle) < interval '10 s' THEN 'warning' ELSE 'bad' END,
       coalesce('the slowest last read the log ' || round(extract(epoch FROM max(idle)), 1) || ' s before it said so', 'no instance'),
       CASE WHEN max(idle) >= interval '3 s'
            THEN 'SELECT instance, idle, tailer FROM feed.listeners; -- it reads the log once a second (BOARDCAST_SWEEP): look at its log too' END
FROM alive
UNION ALL
SELECT 4, 'lag',
       CASE WHEN count(*) = 0 THEN 'unknown' WHEN max(since) < interval '2 s' THEN 'ok'
            WHEN max(since) < interval '10 s' THEN 'warning' ELSE 'bad' END,
       coalesce('at most ' || max(behind) || ' changes, ' || round(extract(epoch FROM max(since)), 1) || ' s', 'no instance'),
       CASE WHEN max(since) >= interval '2 s'
            THEN 'SELECT * FROM feed.lag; -- one instance: restart it. All: the database is slow, or a transaction is very large' END
FROM feed.lag WHERE alive
UNION ALL
SELECT 5, 'notify queue',
       CASE WHEN q.usage >= 0.5 THEN 'bad' WHEN q.usage >= 0.1 OR q.usage > 0 AND p.stuck THEN 'warning' ELSE 'ok' END,
       round(q.usage::numeric * 100, 1) || ' % full'
       || CASE WHEN q.usage > 0 THEN coalesce(format('; held, as it seems, by pid %s (%s of %s), ', p.pid, p.application_name, p.datname)
               || CASE WHEN p.stuck THEN 'whose client does not read (ClientWrite)' ELSE 'in a transaction' END
               || ' since ' || date_trunc('second', p.since), '') ELSE '' END,
       CASE WHEN q.usage < 0.1 AND (q.usage = 0 OR p.stuck IS NOT TRUE) THEN NULL
            WHEN p.pid IS NOT NULL THEN format('SELECT pg_terminate_backend(%s); -- when the queue is full, writes fail', p.pid)
            WHEN pg_has_role('pg_read_all_stats', 'USAGE')
            THEN 'SELECT pid, application_name, state, query FROM pg_stat_activity WHERE query ~* ''listen''; -- a session that LISTENs and does not read: end it. When the queue is full, writes fail'
            ELSE 'GRANT pg_read_all_stats TO feed_dba; -- to see who does not read. When the queue is full, writes fail' END
FROM (SELECT pg_notification_queue_usage() AS usage) AS q LEFT JOIN pins AS p ON p.nth = 1
UNION ALL
SELECT 6, 'triggers', CASE WHEN off.names IS NULL THEN 'ok' ELSE 'bad' END,
       coalesce(off.names, (SELECT count(DISTINCT relation) FROM feed.triggers WHERE function = 'capture') || ' tables are fed'),
       CASE WHEN EXISTS (SELECT FROM feed.flags AS f WHERE f.flag = 'capture') THEN 'boardcast flags capture on # it is switched off'
            ELSE off.cures || ' -- writes go past the feed; then boardcast verify' END
FROM (SELECT string_agg(format('%s on %s is %s', trigger, relation, state), ', ' ORDER BY relation::text, trigger) AS names,
             string_agg(DISTINCT cure, ' ') AS cures
      FROM feed.triggers WHERE state NOT IN ('on', 'always')) AS off
UNION ALL
SELECT 7, 'replication role', CASE WHEN s.roles IS NULL THEN 'ok' ELSE 'bad' END,
       coalesce('replica is set for ' || s.roles, 'nobody is set to write past the triggers'),
       s.cures || ' -- what they write is not logged; then boardcast verify'
FROM (SELECT string_agg(coalesce(r.rolname, 'all'), ', ') AS roles,
             string_agg(format('ALTER %s RESET session_replication_role;',
                               CASE WHEN r.oid IS NULL THEN 'DATABASE ' || quote_ident(d.datname)
                                    ELSE 'ROLE ' || quote_ident(r.rolname) || coalesce(' IN DATABASE ' || quote_ident(d.datname), '') END), ' ') AS cures
      FROM pg_db_role_setting AS g
      LEFT JOIN pg_roles AS r ON r.oid = g.setrole
      LEFT JOIN pg_database AS d ON d.oid = g.setdatabase
      WHERE g.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
        AND 'session_replication_role=replica' = ANY (g.setconfig)) AS s
UNION ALL
SELECT 8, 'transactions',
       CASE WHEN a.pid IS NOT NULL THEN 'warning' WHEN pg_has_role('pg_read_all_stats', 'USAGE') THEN 'ok' ELSE 'unknown' END,
       CASE WHEN a.pid IS NOT NULL
            THEN format('pid %s (%s) is in one since %s, %s', a.pid, a.application_name, date_trunc('second', a.xact_start), a.state)
                 || coalesce('; and ' || nullif((SELECT count(*) - 1 FROM activity), 0) || ' more', '')
            WHEN pg_has_role('pg_read_all_stats', 'USAGE') THEN 'none is older than 5 minutes' ELSE 'you may not see those of others' END,
       CASE WHEN a.pid IS NOT NULL
            THEN format('SELECT pg_terminate_backend(%s); -- it holds up vacuum and the dropping of old partitions, not the feed; its own changes are told when it commits', a.pid)
            WHEN NOT pg_has_role('pg_read_all_stats', 'USAGE') THEN 'GRANT pg_read_all_stats TO feed_dba;' END
FROM (SELECT) AS one LEFT JOIN activity AS a ON a.nth = 1
UNION ALL
SELECT 9, 'prepared transactions', CASE WHEN count(*) = 0 THEN 'ok' ELSE 'warning' END,
       count(*) || ' older than a minute' || coalesce(': ' || min(gid), ''),
       CASE WHEN count(*) > 0
            THEN format('ROLLBACK PREPARED %L; -- or COMMIT PREPARED, as its coordinator says: it holds up vacuum for ever. It has no change of a fed table',
                        min(gid)) END
FROM pg_prepared_xacts WHERE database = current_database() AND prepared < clock_timestamp() - interval '1 min'
UNION ALL
SELECT 10, 'doorbell',
       CASE WHEN p.silent OR p.mode NOT IN ('calm', 'silent') AND p.until < clock_timestamp() - interval '10 s' THEN 'warning' ELSE 'ok' END,
       CASE WHEN p.silent THEN 'nobody rings: the log is read once a second'
            WHEN p.until < clock_timestamp() OR p.mode IN ('calm', 'silent') THEN 'every write rings' ELSE p.instance || ' rings: ' || p.mode END,
       CASE WHEN p.silent THEN 'boardcast flags bell on # it is switched off'
            WHEN p.mode NOT IN ('calm', 'silent') AND p.until < clock_timestamp() - interval '10 s'
            THEN 'SELECT * FROM feed.pacer; -- it went without a word, and nobody took its place: see instances. Until then every write rings, which is slower with many writers' END
FROM feed.pacer AS p
UNION ALL
SELECT 11, 'history', CASE WHEN same THEN 'ok' ELSE 'warning' END,
       format('feed %s, since %s: %s', i.feed_id, date_trunc('second', i.renewed_at), i.reason),
       CASE WHEN NOT same
            THEN 'SELECT feed.identify(); -- another cluster or timeline than its cursors were made on: the first service that connects does it too' END
FROM feed.identity AS i
CROSS JOIN LATERAL (SELECT (i.system_identifier, i.timeline)
                           = (SELECT system_identifier::text, left(pg_walfile_name(pg_current_wal_lsn()), 8) FROM pg_control_system()) AS same) AS s
UNION ALL
SELECT 12, 'log', CASE WHEN sum(bytes) < 10 * 1024 ^ 3 THEN 'ok' ELSE 'warning' END,
       format('%s in %s, about %s changes', pg_size_pretty(sum(bytes)), 'feed.log', sum(changes))
       || coalesce(', the oldest of ' || date_trunc('second', min(first_at)), ''),
       CASE WHEN sum(bytes) >= 10 * 1024 ^ 3
            THEN 'boardcast retain 30d # keep less, or a larger disk. boardcast prune --older-than 30d forgets some now' END
FROM feed.retention
UNION ALL
SELECT 13, 'partitions',
       CASE WHEN bool_or(p.name = 'feed.log_default' AND NOT p.attached) THEN 'bad'
            WHEN bool_and(p.attached) AND min(stray.first_seq) IS NULL THEN 'ok' ELSE 'warning' END,
       coalesce(nullif(concat_ws('; ',
           string_agg(format('%s is %s', substr(p.name, 6), CASE WHEN p.there THEN 'detached' ELSE 'missing' END), '; ' ORDER BY p.name)
               FILTER (WHERE NOT p.attached),
           'log_default has changes, from seq ' || min(stray.first_seq)), ''), 'the next one is ready; kept for ' || min(k.retention)),
       nullif(concat_ws(' ',
           string_agg(CASE WHEN p.name = 'feed.log_default' AND p.there THEN 'ALTER TABLE feed.log ATTACH PARTITION feed.log_default DEFAULT;'
                           WHEN p.name = 'feed.log_default' THEN 'CREATE TABLE feed.log_default PARTITION OF feed.log DEFAULT; ALTER TABLE feed.log_default OWNER TO feed_owner;'
                           WHEN p.there
                           -- What was written into its era meanwhile is in the default partition, and must not stay there.
                           THEN format('BEGIN; LOCK feed.log; WITH moved AS (DELETE FROM feed.log_default WHERE era = %s RETURNING *) '
                                       'INSERT INTO %s SELECT * FROM moved; '
                                       'ALTER TABLE feed.log ATTACH PARTITION %2$s FOR VALUES FROM (%1$s) TO (%3$s); COMMIT;', p.era, p.name, p.era + 1)
                           WHEN p.ahead = 0 THEN 'SELECT feed.turn(); SELECT feed.keep();'
                           WHEN p.ahead = 1 THEN 'SELECT feed.keep();' END, ' ' ORDER BY p.era DESC) FILTER (WHERE NOT p.attached),
           CASE WHEN bool_or(p.name = 'feed.log_default' AND NOT p.attached) THEN '-- writes may fail: they have no place in the log'
                WHEN NOT bool_and(p.attached) THEN '-- what is written meanwhile goes to log_default'
                WHEN min(stray.first_seq) IS NOT NULL
                THEN '-- somebody dropped a partition. They are read like all others, and dropped when they are old' END), '')
FROM places AS p
CROSS JOIN feed.keeper AS k
LEFT JOIN feed.retention AS stray ON stray.piece = to_regclass('feed.log_default')
UNION ALL
SELECT 14, 'indexes', CASE WHEN off.names IS NULL THEN 'ok' ELSE 'warning' END, coalesce(off.names, 'all are there, and valid'), off.cures
FROM (SELECT string_agg(CASE WHEN i.index IS NULL THEN format('no index makes the key of %s unique', i.relation)
                             ELSE format('%s on %s is %s', i.index, i.relation, i.state) END, ', ' ORDER BY i.relation::text, i.index) AS names,
             string_agg(i.cure, ' ' ORDER BY i.relation::text, i.index) AS cures
      FROM feed.indexes AS i WHERE i.state <> 'on') AS off
UNION ALL
-- A LIMIT of its own would keep WHERE topic = … from leaving the other questions unasked.
SELECT 15, 'connections', CASE WHEN c.used < 0.8 * c.most THEN 'ok' WHEN c.used < 0.95 * c.most THEN 'warning' ELSE 'bad' END,
       format('%s of %s are used (%s)', c.used, c.most, c.bound),
       CASE WHEN c.used >= 0.8 * c.most
            THEN 'SELECT application_name, usename, state, count(*) FROM pg_stat_activity GROUP BY 1, 2, 3 ORDER BY 4 DESC; -- whose they are. Fewer by a pooler, or: '
                 || c.more END
FROM (SELECT b.* FROM (
          SELECT (SELECT sum(numbackends) FROM pg_stat_database)::int AS used, 'max_connections' AS bound,
                 current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
                 - coalesce(current_setting('reserved_connections', true)::int, 0) AS most,
                 format('ALTER SYSTEM SET max_connections = %s, and a restart', 2 * current_setting('max_connections')::int) AS more
          UNION ALL
          SELECT s.numbackends, 'of this database', d.datconnlimit, format('ALTER DATABASE %I CONNECTION LIMIT %s', d.datname, 2 * d.datconnlimit + 2)
          FROM pg_database AS d JOIN pg_stat_database AS s ON s.datid = d.oid WHERE d.datname = current_database() AND d.datconnlimit >= 0
          UNION ALL
          SELECT count(*)::int, format('of role %I', r.rolname), r.rolconnlimit, format('ALTER ROLE %I CONNECTION LIMIT %s', r.rolname, 2 * r.rolconnlimit + 2)
          FROM pg_roles AS r JOIN pg_stat_activity AS a ON a.usesysid = r.oid WHERE r.rolconnlimit > 0 GROUP BY r.rolname, r.rolconnlimit) AS b
      ORDER BY b.used::float / greatest(b.most, 1) DESC LIMIT 1) AS c
UNION ALL
SELECT 16, 'transaction ids', CASE WHEN d.spent < 0.25 THEN 'ok' WHEN d.spent < 0.75 THEN 'warning' ELSE 'bad' END,
       format('%s %% of them are used up in database %s', round(d.spent * 100), d.datname),
       CASE WHEN d.spent >= 0.25
            THEN 'VACUUM (FREEZE, VERBOSE); -- in database ' || quote_ident(d.datname) || '. At 100 nothing can be written; what holds it up: transactions, prepared transactions' END
FROM (SELECT datname, (greatest(age(datfrozenxid), mxid_age(datminmxid)) / 2 ^ 31)::numeric AS spent FROM pg_database WHERE datallowconn
      ORDER BY spent DESC LIMIT 1) AS d
UNION ALL
SELECT 17, 'notes', CASE WHEN n.bytes < 256 * 1024 ^ 2 THEN 'ok' ELSE 'warning' END,
       format('%s in feed.instances, feed.sweeps, feed.tickets and user_presence', pg_size_pretty(n.bytes)),
       CASE WHEN n.bytes >= 256 * 1024 ^ 2
            THEN 'VACUUM FULL feed.instances, feed.sweeps, feed.tickets, user_presence; -- they are small: autovacuum does not come, see transactions' END
FROM (SELECT sum(pg_total_relation_size(to_regclass(t.name)))::bigint AS bytes
      FROM unnest('{feed.instances,feed.sweeps,feed.tickets,public.user_presence}'::text[]) AS t(name)) AS n
UNION ALL
SELECT 18, 'flags', CASE WHEN f.capture IS NOT NULL THEN 'bad' WHEN f.bell IS NOT NULL THEN 'warning' ELSE 'ok' END,
       coalesce(nullif(concat_ws('; ', f.capture, f.bell, nullif(f.realtime, '')), ''), 'none is set: websocket for everybody'),
       CASE WHEN f.capture IS NOT NULL THEN 'boardcast flags capture on # when the reason is gone: nothing is logged and nobody is told'
            WHEN f.bell IS NOT NULL THEN 'boardcast flags bell on # when the reason is gone: people are told up to a second later' END
FROM (SELECT max(format('capture is off since %s, by %s', date_trunc('second', at), who)) FILTER (WHERE flag = 'capture') AS capture,
             max(format('the bell is off since %s, by %s', date_trunc('second', at), who)) FILTER (WHERE flag = 'bell') AS bell,
             concat_ws(', ', max('realtime is ' || value || ' for everybody') FILTER (WHERE flag = 'realtime' AND scope = 'everybody'),
                       max(format('realtime is %s for %s %%', value, share)) FILTER (WHERE flag = 'realtime' AND scope = 'share'),
                       nullif(count(*) FILTER (WHERE flag = 'realtime' AND scope = 'user'), 0) || ' users have their own') AS realtime
      FROM feed.flags) AS f
UNION ALL
SELECT 19, 'ownership', CASE WHEN o.first IS NULL THEN 'ok' WHEN o.rights THEN 'bad' ELSE 'warning' END,
       coalesce(o.first || coalesce('; and ' || nullif(o.others, 0) || ' more', ''), 'code of applications runs as feed_sandbox, all else belongs to feed_owner'),
       o.cures || CASE WHEN o.rights THEN ' -- code of an application can run with the rights of whoever owns the function'
                       ELSE ' -- else partitions cannot be dropped when they are old' END
FROM (SELECT min(w.found) AS first, count(*) - 1 AS others, bool_or(w.rights) AS rights, string_agg(w.cure, ' ' ORDER BY w.cure) AS cures
      FROM (SELECT format('%s belongs to %s', p.oid::regprocedure, pg_get_userbyid(p.proowner)) AS found, p.prosecdef AS rights,
                   format('ALTER FUNCTION %s OWNER TO %s;', p.oid::regprocedure, n.owner) AS cure
            FROM pg_proc AS p CROSS JOIN LATERAL (SELECT CASE p.proname WHEN 'row_image' THEN 'feed_sandbox' ELSE 'feed_owner' END AS owner) AS n
            WHERE p.pronamespace = 'feed'::regnamespace AND pg_get_userbyid(p.proowner) <> n.owner
            UNION ALL
            SELECT format('%s belongs to %s', c.oid::regclass, pg_get_userbyid(c.relowner)), false,
                   format('ALTER TABLE %s OWNER TO feed_owner;', c.oid::regclass)
            FROM pg_class AS c
            WHERE c.relnamespace = 'feed'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'S') AND pg_get_userbyid(c.relowner) <> 'feed_owner'
            UNION ALL
            -- What it runs can alter it, as its owner.
            SELECT 'feed.row_image(record) has been altered, or is gone', true,
                   CASE WHEN p.oid IS NOT NULL
                        THEN 'ALTER FUNCTION feed.row_image(record) RESET ALL; '
                             'ALTER FUNCTION feed.row_image(record) SECURITY DEFINER CALLED ON NULL INPUT STABLE;'
                        ELSE '-- make it again, as db/sql/functions/row_image.sql and db/sql/grants/ownership.sql do: until then writes to fed tables fail' END
            FROM (SELECT) AS one LEFT JOIN pg_proc AS p ON p.oid = to_regprocedure('feed.row_image(record)')
            WHERE (p.prosecdef AND p.provolatile = 's' AND NOT p.proisstrict AND p.proconfig IS NULL) IS NOT TRUE
            UNION ALL
            SELECT format('role %s may log in, or has an attribute', r.rolname), true,
                   format('ALTER ROLE %s NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;', r.rolname)
            FROM pg_roles AS r
            WHERE r.rolname IN ('feed_owner', 'feed_sandbox')
              AND (r.rolcanlogin OR r.rolsuper OR r.rolcreatedb OR r.rolcreaterole OR r.rolreplication OR r.rolbypassrls)
            UNION ALL
            SELECT format('role %s is a member of %s', r.rolname, m.roleid::regrole), true, format('REVOKE %s FROM %s;', m.roleid::regrole, r.rolname)
            FROM pg_roles AS r JOIN pg_auth_members AS m ON m.member = r.oid
            WHERE r.rolname IN ('feed_owner', 'feed_sandbox')) AS w) AS o;
COMMENT ON VIEW feed.health IS 'Is the feed well? One row per check, with its cure. Only the bad ones: WHERE status <> ''ok''. Ask the primary. What only a client can know: boardcast doctor';
COMMENT ON COLUMN feed.health.nr IS 'To sort by';
COMMENT ON COLUMN feed.health.topic IS 'What is checked';
COMMENT ON COLUMN feed.health.status IS 'ok; warning: look at it today; bad: people are not told, or not at once; unknown: it cannot be told, see found';
COMMENT ON COLUMN feed.health.found IS 'What was found';
COMMENT ON COLUMN feed.health.cure IS 'What to do, to paste; null where all is well';
