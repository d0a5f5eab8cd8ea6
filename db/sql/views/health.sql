-- One row per check, with a fix for a problem: a command to paste, followed by -- or # and an explanation.
CREATE VIEW feed.health AS
WITH alive AS (
    SELECT * FROM feed.instance_status WHERE alive
), activity AS (
    SELECT pid, xact_start, application_name, state, row_number() OVER (ORDER BY xact_start) AS nth FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start < clock_timestamp() - interval '5 min'
), blockers AS (
    -- Which sessions LISTEN is known only to themselves. A listener is behind if its client does not read, or if it is in a
    -- transaction: notifications are delivered to it only when the transaction ends. The queue is shared by the whole
    -- cluster.
    SELECT pid, application_name, datname, wait_event = 'ClientWrite' AS stuck, coalesce(xact_start, state_change) AS since,
           row_number() OVER (ORDER BY wait_event IS DISTINCT FROM 'ClientWrite', coalesce(xact_start, state_change)) AS nth
    FROM pg_stat_activity
    WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'
      AND coalesce(xact_start, state_change) < clock_timestamp() - interval '10 s' AND (wait_event = 'ClientWrite' OR xact_start IS NOT NULL)
), group_roles AS (
    SELECT oid FROM pg_roles WHERE rolname IN ('feed_app', 'feed_listener', 'feed_dba', 'feed_owner')
), feeds AS (
    SELECT d.datname, d.datdba, d.datacl FROM pg_database AS d
    WHERE d.datname = current_database()
       OR d.datallowconn AND EXISTS (SELECT FROM pg_shdepend AS s
                                     WHERE s.dbid = d.oid AND s.refclassid = 'pg_authid'::regclass AND s.refobjid IN (SELECT g.oid FROM group_roles AS g))
), partitions AS (
    SELECT e.last_value + n.n AS partition_number, format('feed.log_%s', e.last_value + n.n) AS name, n.n AS ahead
    FROM feed.partition_number AS e CROSS JOIN (VALUES (0), (1)) AS n(n)
), log_tables AS (
    -- Partitions that are attached, detached but not dropped, or missing.
    SELECT s.partition_number, s.name, s.ahead, i.inhrelid IS NOT NULL AS attached, c.oid IS NOT NULL AS there
    FROM (SELECT partition_number, name, ahead FROM partitions
          UNION
          SELECT substring(relname FROM '^log_(\d+)$')::bigint, format('feed.%I', relname), NULL FROM pg_class
          WHERE relnamespace = 'feed'::regnamespace AND relkind = 'r' AND relname ~ '^log_\d+$' AND NOT relispartition
            AND format('feed.%I', relname) NOT IN (SELECT name FROM partitions)
          UNION
          SELECT NULL, 'feed.log_default', NULL) AS s
    LEFT JOIN pg_class AS c ON c.oid = to_regclass(s.name)
    LEFT JOIN pg_inherits AS i ON i.inhrelid = c.oid AND i.inhparent = 'feed.log'::regclass
)
SELECT 1 AS nr, 'instances' AS topic,
       CASE WHEN count(*) FILTER (WHERE alive) = 0 THEN 'bad' WHEN bool_and(alive) THEN 'ok' ELSE 'warning' END AS status,
       count(*) FILTER (WHERE alive) || ' alive, ' || count(*) FILTER (WHERE NOT alive) || ' not reporting' AS found,
       CASE WHEN count(*) FILTER (WHERE alive) = 0 THEN 'boardcast feed # until then clients receive no changes'
            WHEN NOT bool_and(alive)
            THEN 'SELECT * FROM feed.instance_status WHERE NOT alive; -- it was killed, is stopped, or cannot reach the database; its row is removed after five minutes' END AS fix
FROM feed.instance_status
UNION ALL
SELECT 2, 'listeners', CASE WHEN bool_and(listens) THEN 'ok' WHEN count(*) = 0 THEN 'unknown' ELSE 'bad' END,
       count(*) FILTER (WHERE listens) || ' of ' || count(*) || ' receive NOTIFY',
       CASE WHEN NOT bool_and(listens)
            THEN 'boardcast doctor # with the settings of ' || string_agg(instance, ', ') FILTER (WHERE NOT listens)
                 || '. Until then changes take up to a second. If it persists, set LISTEN_DATABASE_URL to a direct connection, because LISTEN does not work through a transaction pooler' END
FROM alive
UNION ALL
SELECT 3, 'log reads',
       CASE WHEN count(*) = 0 THEN 'unknown' WHEN max(since_read) < interval '3 s' THEN 'ok'
            WHEN max(since_read) < interval '10 s' THEN 'warning' ELSE 'bad' END,
       coalesce('the slowest instance last read the log ' || round(extract(epoch FROM max(since_read)), 1) || ' s before its report', 'no instance'),
       CASE WHEN max(since_read) >= interval '3 s'
            THEN 'SELECT instance, since_read, tailer FROM feed.instance_status; -- the log should be read at least once a second (BOARDCAST_READ_INTERVAL); also check the instance''s output' END
FROM alive
UNION ALL
SELECT 4, 'lag',
       CASE WHEN count(*) = 0 THEN 'unknown' WHEN max(delay) < interval '2 s' THEN 'ok'
            WHEN max(delay) < interval '10 s' THEN 'warning' ELSE 'bad' END,
       coalesce('at most ' || max(behind) || ' changes, ' || round(extract(epoch FROM max(delay)), 1) || ' s', 'no instance'),
       CASE WHEN max(delay) >= interval '2 s'
            THEN 'SELECT * FROM feed.lag; -- if it is one instance, restart it. If it is all of them, the database is slow or a transaction is very large' END
FROM feed.lag WHERE alive
UNION ALL
SELECT 5, 'notify queue',
       CASE WHEN q.usage >= 0.5 THEN 'bad' WHEN q.usage >= 0.1 OR q.usage > 0 AND p.stuck THEN 'warning' ELSE 'ok' END,
       round(q.usage::numeric * 100, 1) || '% full'
       || CASE WHEN q.usage > 0 THEN coalesce(format('; probably held up by pid %s (%s, database %s), ', p.pid, p.application_name, p.datname)
               || CASE WHEN p.stuck THEN 'whose client does not read (ClientWrite)' ELSE 'which is in a transaction' END
               || ', since ' || date_trunc('second', p.since), '') ELSE '' END,
       CASE WHEN q.usage < 0.1 AND (q.usage = 0 OR p.stuck IS NOT TRUE) THEN NULL
            WHEN p.pid IS NOT NULL THEN format('SELECT pg_terminate_backend(%s); -- when the queue is full, writes fail', p.pid)
            WHEN pg_has_role('pg_read_all_stats', 'USAGE')
            THEN 'SELECT pid, application_name, state, query FROM pg_stat_activity WHERE query ~* ''listen''; -- find the session that LISTENs but does not read, and terminate it. When the queue is full, writes fail'
            ELSE 'GRANT pg_read_all_stats TO feed_dba; -- to see which session does not read. When the queue is full, writes fail' END
FROM (SELECT pg_notification_queue_usage() AS usage) AS q LEFT JOIN blockers AS p ON p.nth = 1
UNION ALL
SELECT 6, 'triggers', CASE WHEN off.names IS NULL THEN 'ok' WHEN off.renamed_only THEN 'warning' ELSE 'bad' END,
       coalesce(off.names, (SELECT count(DISTINCT relation) FROM feed.triggers WHERE function = 'capture') || ' tables are attached'),
       CASE WHEN EXISTS (SELECT FROM feed.flags AS f WHERE f.flag = 'capture') THEN 'boardcast flags capture on # capture is switched off'
            WHEN off.renamed_only THEN off.fixes || ' -- or boardcast migrate; until then writes are logged correctly, but more slowly'
            ELSE off.fixes || ' -- or boardcast migrate; until then writes are not logged, or not as they should be (stale: only as a reload, or without a board); afterwards run boardcast verify' END
FROM (SELECT string_agg(format('%s on %s is %s', trigger, relation, state), ', ' ORDER BY relation::text, trigger) AS names,
             string_agg(DISTINCT fix, ' ') AS fixes, bool_and(state = 'renamed') AS renamed_only
      FROM feed.triggers WHERE state NOT IN ('on', 'always')) AS off
UNION ALL
SELECT 7, 'tables', CASE WHEN off.problems IS NULL THEN 'ok' ELSE 'bad' END,
       coalesce(off.problems, (SELECT count(*) FROM feed.attached) || ' tables are the ones that were attached'),
       off.fixes || ' -- until then, what is written may not be logged. Attaching a table makes its readers load it again; afterwards run boardcast verify'
FROM (SELECT string_agg(t.problem, '; ' ORDER BY t.name, t.state) AS problems,
             string_agg(t.fix, ' ' ORDER BY t.name, t.state) AS fixes
      FROM (SELECT min(t.name) AS name, min(t.state) AS state, string_agg(DISTINCT t.problem, '; ') AS problem, t.fix FROM feed.attached_tables AS t
            WHERE t.state <> 'on' GROUP BY t.fix) AS t) AS off
UNION ALL
SELECT 8, 'replication role', CASE WHEN s.roles IS NULL THEN 'ok' ELSE 'bad' END,
       coalesce('replica is set for ' || s.roles, 'not set to replica for any role or database'),
       s.fixes || ' -- until then their writes are not logged; afterwards run boardcast verify'
FROM (SELECT string_agg(coalesce(r.rolname, 'all'), ', ') AS roles,
             string_agg(format('ALTER %s RESET session_replication_role;',
                               CASE WHEN r.oid IS NULL THEN 'DATABASE ' || quote_ident(d.datname)
                                    ELSE 'ROLE ' || quote_ident(r.rolname) || coalesce(' IN DATABASE ' || quote_ident(d.datname), '') END), ' ') AS fixes
      FROM pg_db_role_setting AS g
      LEFT JOIN pg_roles AS r ON r.oid = g.setrole
      LEFT JOIN pg_database AS d ON d.oid = g.setdatabase
      WHERE g.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
        AND 'session_replication_role=replica' = ANY (g.setconfig)) AS s
UNION ALL
SELECT 9, 'transactions',
       CASE WHEN a.pid IS NOT NULL THEN 'warning' WHEN pg_has_role('pg_read_all_stats', 'USAGE') THEN 'ok' ELSE 'unknown' END,
       CASE WHEN a.pid IS NOT NULL
            THEN format('pid %s (%s) has been in a transaction since %s, %s', a.pid, a.application_name, date_trunc('second', a.xact_start), a.state)
                 || coalesce('; and ' || nullif((SELECT count(*) - 1 FROM activity), 0) || ' more', '')
            WHEN pg_has_role('pg_read_all_stats', 'USAGE') THEN 'none is older than 5 minutes' ELSE 'you do not have the privilege to see those of other roles' END,
       CASE WHEN a.pid IS NOT NULL
            THEN format('SELECT pg_terminate_backend(%s); -- it holds up vacuum and the removal of old partitions, but not the feed; its own changes are delivered when it commits', a.pid)
            WHEN NOT pg_has_role('pg_read_all_stats', 'USAGE') THEN 'GRANT pg_read_all_stats TO feed_dba;' END
FROM (SELECT) AS one LEFT JOIN activity AS a ON a.nth = 1
UNION ALL
SELECT 10, 'prepared transactions', CASE WHEN count(*) = 0 THEN 'ok' ELSE 'warning' END,
       count(*) || ' older than a minute' || coalesce(': ' || min(gid), ''),
       CASE WHEN count(*) > 0
            THEN format('ROLLBACK PREPARED %L; -- or COMMIT PREPARED: ask its coordinator. It holds up vacuum until it ends. It changed an attached table only if it skipped NOTIFY',
                        min(gid)) END
FROM pg_prepared_xacts WHERE database = current_database() AND prepared < clock_timestamp() - interval '1 min'
UNION ALL
SELECT 11, 'notify mode',
       CASE WHEN p.muted OR n.muted OR p.mode NOT IN ('direct', 'muted') AND p.until < clock_timestamp() - interval '10 s' THEN 'warning' ELSE 'ok' END,
       CASE WHEN p.muted OR n.muted THEN 'muted: no NOTIFY is sent, and the log is read once a second'
            WHEN p.until < clock_timestamp() OR p.mode IN ('direct', 'muted') THEN 'every write sends NOTIFY' ELSE p.instance || ' is the pacer, mode ' || p.mode END,
       CASE WHEN p.muted THEN 'boardcast flags notify on # NOTIFY is switched off'
            WHEN n.muted THEN 'SELECT feed.set_notify(true); -- the sequence feed.notify_suppressed_until was set by hand'
            WHEN p.mode NOT IN ('direct', 'muted') AND p.until < clock_timestamp() - interval '10 s'
            THEN 'SELECT * FROM feed.pacer; -- the pacer stopped without giving back the lease, and no instance took over: see instances. Until then every write sends NOTIFY, which is slower with many writers' END
FROM feed.pacer AS p
CROSS JOIN LATERAL (SELECT pg_sequence_last_value('feed.notify_suppressed_until') IS NOT DISTINCT FROM 9007199254740991 AS muted) AS n
UNION ALL
SELECT 12, 'history', CASE WHEN same THEN 'ok' ELSE 'warning' END,
       format('feed %s, since %s: %s', i.feed_id, date_trunc('second', i.renewed_at), i.reason),
       CASE WHEN NOT same
            THEN 'SELECT feed.identify(); -- the existing cursors were made on another cluster or timeline; the next service that connects also does this' END
FROM feed.identity AS i
CROSS JOIN LATERAL (SELECT (i.system_identifier, i.timeline)
                           = (SELECT system_identifier::text, left(pg_walfile_name(pg_current_wal_lsn()), 8) FROM pg_control_system()) AS same) AS s
UNION ALL
SELECT 13, 'log', CASE WHEN sum(bytes) < 10 * 1024 ^ 3 THEN 'ok' ELSE 'warning' END,
       format('%s in %s, about %s changes', pg_size_pretty(sum(bytes)), 'feed.log', sum(changes))
       || coalesce(', the oldest from ' || date_trunc('second', min(first_at)), ''),
       CASE WHEN sum(bytes) >= 10 * 1024 ^ 3
            THEN 'boardcast retain 30d # shorten the retention period, or use a larger disk. boardcast prune --older-than 30d removes old changes now' END
FROM feed.retention
UNION ALL
SELECT 14, 'partitions',
       CASE WHEN bool_or(p.name = 'feed.log_default' AND NOT p.attached) THEN 'bad'
            WHEN bool_and(p.attached) AND min(extra.first_seq) IS NULL THEN 'ok' ELSE 'warning' END,
       coalesce(nullif(concat_ws('; ',
           string_agg(format('%s is %s', substr(p.name, 6), CASE WHEN p.there THEN 'detached' ELSE 'missing' END), '; ' ORDER BY p.name)
               FILTER (WHERE NOT p.attached),
           'log_default contains changes, starting at seq ' || min(extra.first_seq)), ''), 'the next partition is ready; retention period ' || min(k.retention)),
       nullif(concat_ws(' ',
           string_agg(CASE WHEN p.name = 'feed.log_default' AND p.there THEN 'ALTER TABLE feed.log ATTACH PARTITION feed.log_default DEFAULT;'
                           WHEN p.name = 'feed.log_default' THEN 'CREATE TABLE feed.log_default PARTITION OF feed.log DEFAULT; ALTER TABLE feed.log_default OWNER TO feed_owner;'
                           WHEN p.there
                           -- Rows that were written in the meantime are in the default partition and have to be moved.
                           THEN format('BEGIN; LOCK feed.log; WITH moved AS (DELETE FROM feed.log_default WHERE partition_number = %s RETURNING *) '
                                       'INSERT INTO %s SELECT * FROM moved; '
                                       'ALTER TABLE feed.log ATTACH PARTITION %2$s FOR VALUES FROM (%1$s) TO (%3$s); COMMIT;', p.partition_number, p.name, p.partition_number + 1)
                           WHEN p.ahead = 0 THEN 'SELECT feed.rotate_partition(); SELECT feed.maintain();'
                           WHEN p.ahead = 1 THEN 'SELECT feed.maintain();' END, ' ' ORDER BY p.partition_number DESC) FILTER (WHERE NOT p.attached),
           CASE WHEN bool_or(p.name = 'feed.log_default' AND NOT p.attached) THEN '-- until then writes may fail, because no partition accepts them'
                WHEN NOT bool_and(p.attached) THEN '-- until then new changes go to log_default'
                WHEN min(extra.first_seq) IS NOT NULL
                THEN '-- a partition was dropped by hand. These changes are read like all others, and dropped when they are old enough' END), '')
FROM log_tables AS p
CROSS JOIN feed.maintenance AS k
LEFT JOIN feed.retention AS extra ON extra.partition = to_regclass('feed.log_default')
UNION ALL
SELECT 15, 'indexes', CASE WHEN off.names IS NULL THEN 'ok' WHEN off.keys > 0 THEN 'bad' ELSE 'warning' END, coalesce(off.names, 'all exist and are valid'),
       off.fixes || CASE WHEN off.keys > 0 THEN ' -- until then, two rows with the same key would be one row to the readers' ELSE '' END
FROM (SELECT string_agg(CASE WHEN i.index IS NULL THEN format('no index makes the key of %s unique', i.relation)
                             ELSE format('%s on %s is %s', i.index, i.relation, i.state) END, ', ' ORDER BY i.relation::text, i.index) AS names,
             string_agg(i.fix, ' ' ORDER BY i.relation::text, i.index) AS fixes, count(*) FILTER (WHERE i.index IS NULL) AS keys
      FROM feed.indexes AS i WHERE i.state <> 'on') AS off
UNION ALL
-- LIMIT is in a subquery: at this level it would keep WHERE topic = ... from skipping the other checks.
SELECT 16, 'connections', CASE WHEN c.used < 0.8 * c.maximum THEN 'ok' WHEN c.used < 0.95 * c.maximum THEN 'warning' ELSE 'bad' END,
       format('%s of %s in use (%s)', c.used, c.maximum, c.bound),
       CASE WHEN c.used >= 0.8 * c.maximum
            THEN 'SELECT application_name, usename, state, count(*) FROM pg_stat_activity GROUP BY 1, 2, 3 ORDER BY 4 DESC; -- shows who uses them. Use a connection pooler, or '
                 || c.more END
FROM (SELECT b.* FROM (
          SELECT (SELECT sum(numbackends) FROM pg_stat_database)::int AS used, 'max_connections' AS bound,
                 current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
                 - coalesce(current_setting('reserved_connections', true)::int, 0) AS maximum,
                 format('ALTER SYSTEM SET max_connections = %s and restart the server', 2 * current_setting('max_connections')::int) AS more
          UNION ALL
          SELECT s.numbackends, 'limit of this database', d.datconnlimit, format('ALTER DATABASE %I CONNECTION LIMIT %s', d.datname, 2 * d.datconnlimit + 2)
          FROM pg_database AS d JOIN pg_stat_database AS s ON s.datid = d.oid WHERE d.datname = current_database() AND d.datconnlimit >= 0
          UNION ALL
          SELECT count(*)::int, format('limit of role %I', r.rolname), r.rolconnlimit, format('ALTER ROLE %I CONNECTION LIMIT %s', r.rolname, 2 * r.rolconnlimit + 2)
          FROM pg_roles AS r JOIN pg_stat_activity AS a ON a.usesysid = r.oid WHERE r.rolconnlimit > 0 GROUP BY r.rolname, r.rolconnlimit) AS b
      ORDER BY b.used::float / greatest(b.maximum, 1) DESC LIMIT 1) AS c
UNION ALL
SELECT 17, 'transaction ids', CASE WHEN d.spent < 0.25 THEN 'ok' WHEN d.spent < 0.75 THEN 'warning' ELSE 'bad' END,
       format('%s%% used in database %s', round(d.spent * 100), d.datname),
       CASE WHEN d.spent >= 0.25
            THEN 'VACUUM (FREEZE, VERBOSE); -- in database ' || quote_ident(d.datname) || '. At 100% writes fail. If vacuum does not help, see transactions and prepared transactions' END
FROM (SELECT datname, (greatest(age(datfrozenxid), mxid_age(datminmxid)) / 2 ^ 31)::numeric AS spent FROM pg_database WHERE datallowconn
      ORDER BY spent DESC LIMIT 1) AS d
UNION ALL
SELECT 18, 'internal tables', CASE WHEN n.bytes < 256 * 1024 ^ 2 THEN 'ok' ELSE 'warning' END,
       format('%s in feed.instances, feed.delivery_journal, feed.tickets and feed.user_presence', pg_size_pretty(n.bytes)),
       CASE WHEN n.bytes >= 256 * 1024 ^ 2
            THEN 'VACUUM FULL feed.instances, feed.delivery_journal, feed.tickets, feed.user_presence; -- these tables are small unless autovacuum is held up: see transactions' END
FROM (SELECT sum(pg_total_relation_size(to_regclass(t.name)))::bigint AS bytes
      FROM unnest('{feed.instances,feed.delivery_journal,feed.tickets,feed.user_presence}'::text[]) AS t(name)) AS n
UNION ALL
SELECT 19, 'flags', CASE WHEN f.capture IS NOT NULL THEN 'bad' WHEN f.notify IS NOT NULL THEN 'warning' ELSE 'ok' END,
       coalesce(nullif(concat_ws('; ', f.capture, f.notify, nullif(f.realtime, '')), ''), 'none set: websocket for everybody'),
       CASE WHEN f.capture IS NOT NULL THEN 'boardcast flags capture on # once the reason is gone; until then nothing is logged or delivered'
            WHEN f.notify IS NOT NULL THEN 'boardcast flags notify on # once the reason is gone; until then changes are delivered up to a second later' END
FROM (SELECT max(format('capture has been off since %s, set by %s', date_trunc('second', at), set_by)) FILTER (WHERE flag = 'capture') AS capture,
             max(format('NOTIFY has been off since %s, set by %s', date_trunc('second', at), set_by)) FILTER (WHERE flag = 'notify') AS notify,
             concat_ws(', ', max('realtime is ' || value || ' for everybody') FILTER (WHERE flag = 'realtime' AND scope = 'everybody'),
                       max(format('realtime is %s for %s%% of users', value, percentage)) FILTER (WHERE flag = 'realtime' AND scope = 'percentage'),
                       nullif(count(*) FILTER (WHERE flag = 'realtime' AND scope = 'user'), 0) || ' users have their own realtime setting') AS realtime
      FROM feed.flags) AS f
UNION ALL
-- The group roles belong to the cluster, so a login role that was granted one for another database may read this one, too, unless
-- it cannot connect. PostgreSQL records in which databases a role has privileges. A role that was allowed to connect by name is
-- meant to.
SELECT 20, 'roles', CASE WHEN o.found IS NULL THEN 'ok' ELSE 'warning' END,
       coalesce(o.found, CASE (SELECT count(*) FROM feeds) WHEN 1 THEN 'no other database of the cluster has a feed'
                                                           ELSE 'only roles that were allowed to connect by name can read this feed' END),
       o.fixes || ' -- first GRANT CONNECT ON DATABASE ... TO each role that uses that database'
FROM (SELECT string_agg(format('database %I also has a feed, and may be read by %s, because group roles belong to the whole cluster', w.datname, w.members),
                        '; ' ORDER BY w.datname) AS found,
             string_agg(format('REVOKE CONNECT ON DATABASE %I FROM PUBLIC;', w.datname), ' ' ORDER BY w.datname) AS fixes
      FROM (SELECT d.datname, string_agg(DISTINCT format('%I', m.rolname), ', ') AS members
            FROM feeds AS d
            JOIN pg_roles AS m ON m.rolcanlogin AND NOT m.rolsuper AND NOT pg_has_role(m.oid, d.datdba, 'MEMBER')
            WHERE (SELECT count(*) FROM feeds) > 1
              AND EXISTS (SELECT FROM aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) AS a WHERE a.grantee = 0 AND a.privilege_type = 'CONNECT')
              AND NOT EXISTS (SELECT FROM aclexplode(d.datacl) AS a
                              WHERE a.grantee <> 0 AND a.privilege_type = 'CONNECT' AND pg_has_role(m.oid, a.grantee, 'MEMBER'))
              AND EXISTS (SELECT FROM group_roles AS g WHERE pg_has_role(m.oid, g.oid, 'MEMBER'))
            GROUP BY d.datname) AS w) AS o
UNION ALL
SELECT 21, 'ownership', CASE WHEN o.first IS NULL THEN 'ok' WHEN o.rights THEN 'bad' ELSE 'warning' END,
       coalesce(o.first || coalesce('; and ' || nullif(o.others, 0) || ' more', ''), 'application code runs as feed_sandbox, everything else is owned by feed_owner'),
       o.fixes || CASE WHEN o.rights THEN ' -- until then application code can run with the rights of the function''s owner'
                       ELSE ' -- until then old partitions cannot be dropped' END
FROM (SELECT min(w.found) AS first, count(*) - 1 AS others, bool_or(w.rights) AS rights, string_agg(w.fix, ' ' ORDER BY w.fix) AS fixes
      FROM (SELECT format('%s is owned by %s', p.oid::regprocedure, pg_get_userbyid(p.proowner)) AS found, p.prosecdef AS rights,
                   format('ALTER FUNCTION %s OWNER TO %s;', p.oid::regprocedure, n.owner) AS fix
            FROM pg_proc AS p CROSS JOIN LATERAL (SELECT CASE WHEN p.proname IN ('row_image', 'value_image', 'typed_image') THEN 'feed_sandbox' ELSE 'feed_owner' END AS owner) AS n
            WHERE p.pronamespace = 'feed'::regnamespace AND pg_get_userbyid(p.proowner) <> n.owner
            UNION ALL
            SELECT format('%s is owned by %s', c.oid::regclass, pg_get_userbyid(c.relowner)), false,
                   format('ALTER TABLE %s OWNER TO feed_owner;', c.oid::regclass)
            FROM pg_class AS c
            WHERE c.relnamespace = 'feed'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'S') AND pg_get_userbyid(c.relowner) <> 'feed_owner'
            UNION ALL
            -- The application code that it runs acts as its owner, so that code can alter it.
            SELECT format('%s was altered or dropped', f.name), true,
                   CASE WHEN p.oid IS NOT NULL
                        THEN format('ALTER FUNCTION %1$s RESET ALL; ALTER FUNCTION %1$s SECURITY DEFINER CALLED ON NULL INPUT STABLE;', f.name)
                        ELSE '-- recreate it as in db/sql/functions and db/sql/grants/ownership.sql; until then writes to attached tables fail' END
            FROM (VALUES ('feed.row_image(record)'), ('feed.value_image(anyelement)'), ('feed.typed_image(anyelement,jsonb)')) AS f(name)
            LEFT JOIN pg_proc AS p ON p.oid = to_regprocedure(f.name)
            WHERE (p.prosecdef AND p.provolatile = 's' AND NOT p.proisstrict AND p.proconfig IS NULL) IS NOT TRUE
            UNION ALL
            SELECT format('role %s can log in or has role attributes', r.rolname), true,
                   format('ALTER ROLE %s NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;', r.rolname)
            FROM pg_roles AS r
            WHERE r.rolname IN ('feed_owner', 'feed_sandbox')
              AND (r.rolcanlogin OR r.rolsuper OR r.rolcreatedb OR r.rolcreaterole OR r.rolreplication OR r.rolbypassrls)
            UNION ALL
            SELECT format('role %s is a member of %s', r.rolname, m.roleid::regrole), true, format('REVOKE %s FROM %s;', m.roleid::regrole, r.rolname)
            FROM pg_roles AS r JOIN pg_auth_members AS m ON m.member = r.oid
            WHERE r.rolname IN ('feed_owner', 'feed_sandbox')) AS w) AS o
UNION ALL
-- What the application may have changed: the table, its key, and the columns of the board.
SELECT 22, 'opportunities', CASE WHEN a.relation IS NULL OR s.target IS NOT NULL AND m.names IS NULL AND l.name IS NULL AND a.restoring IS NULL THEN 'ok' WHEN s.target IS NULL THEN 'bad' ELSE 'warning' END,
       CASE WHEN a.relation IS NULL THEN 'no table: only attached tables are logged'
            WHEN feed.opportunities_table() IS NULL THEN 'the table of the opportunities was dropped: boards are empty'
            WHEN s.target IS NULL THEN format('the key column of %s was dropped: boards are empty, and each write sends a reload', a.relation)
            WHEN m.names IS NOT NULL THEN format('%s has no column %s: ', a.relation, array_to_string(m.names, ', ')) || m.effects
            WHEN a.restoring IS NOT NULL THEN format('values of %s are being restored from the log in %s', (SELECT string_agg(c, ', ') FROM jsonb_array_elements_text(a.restoring -> 'columns') AS c), a.relation)
            WHEN l.name IS NOT NULL THEN format('trigger %I on %s runs after zz_feed_version: if it sets version_number, clients drop changes', l.name, a.relation)
            ELSE format('%s has all columns', a.relation) END,
       CASE WHEN s.target IS NOT NULL AND m.names IS NOT NULL THEN 'SELECT feed.mend(); -- or boardcast migrate: it adds the columns, and restores their values from the log'
            WHEN s.target IS NOT NULL AND a.restoring IS NOT NULL THEN 'SELECT feed.mend(); -- or boardcast migrate: it restores the rest'
            WHEN s.target IS NOT NULL AND octet_length(l.name) > 55 THEN format('ALTER TRIGGER %I ON %s RENAME TO ...; -- to a name before zz_feed_version', l.name, a.relation)
            WHEN s.target IS NOT NULL AND l.name IS NOT NULL THEN 'SELECT feed.mend(); -- or boardcast migrate: it adds a trigger that runs after this one'
            WHEN a.relation IS NOT NULL AND s.target IS NULL
            THEN format('boardcast migrate # after the table %s has been created again, with a primary key of one column', coalesce(a.name, 'public.opportunities')) END
FROM (SELECT) AS one
LEFT JOIN feed.adopted AS a ON a.role = 'opportunities'
CROSS JOIN LATERAL feed.opportunity_source() AS s
CROSS JOIN LATERAL (
    SELECT array_agg(w.name ORDER BY w.name) AS names, string_agg(w.effect, ', ' ORDER BY w.name) AS effects
    FROM (VALUES ('board_id', 'all cards are on one board'), ('phase', 'cards have no stage'), ('position', 'cards are not sorted'),
                 ('title', 'cards have no title'), ('version_number', 'versions are those of the log')) AS w(name, effect)
    JOIN feed.field_columns() AS f ON f.field = w.name
    WHERE s.target IS NOT NULL AND f.name IS NULL) AS m
CROSS JOIN LATERAL (SELECT max(t.name COLLATE "C") AS name FROM feed.later_triggers() AS t WHERE t.is_last) AS l
UNION ALL
SELECT 23, 'seals', CASE WHEN late.at IS NULL THEN 'ok' ELSE 'warning' END,
       CASE WHEN f.flag IS NULL THEN 'the log is not sealed' WHEN late.at IS NOT NULL THEN format('changes since %s are not sealed', date_trunc('second', late.at))
            WHEN s.number IS NULL THEN 'nothing is sealed yet' ELSE format('seal %s of %s, up to seq %s', s.number, date_trunc('second', s.sealed_at), s.last_seq) END,
       CASE WHEN late.at IS NOT NULL
            THEN 'SELECT feed.seal(); -- services do this once a minute, until the log is sealed up to the oldest transaction in progress: see instances and transactions' END
FROM (SELECT) AS one
LEFT JOIN feed.flags AS f ON f.flag = 'seal'
LEFT JOIN LATERAL (SELECT n.* FROM feed.seals AS n ORDER BY n.number DESC LIMIT 1) AS s ON f.flag IS NOT NULL
LEFT JOIN LATERAL (
    SELECT min(n.at) AS at
    FROM (SELECT (SELECT l.at FROM feed.log AS l WHERE l.partition_number = s.partition_number AND l.xid > s.xid ORDER BY l.xid LIMIT 1)
          UNION ALL
          SELECT (SELECT l.at FROM feed.log AS l WHERE l.partition_number > coalesce(s.partition_number, 0) ORDER BY l.xid LIMIT 1)) AS n(at)
    WHERE greatest(n.at, f.at) < clock_timestamp() - interval '10 min') AS late ON f.flag IS NOT NULL;
COMMENT ON VIEW feed.health IS
    'Health checks of the feed, one row per check, with a fix for each problem. For problems only, use WHERE status <> ''ok''. Query it on the primary. boardcast doctor also checks what only a client can see.';
COMMENT ON COLUMN feed.health.nr IS 'Sort order';
COMMENT ON COLUMN feed.health.topic IS 'What is checked';
COMMENT ON COLUMN feed.health.status IS
    'ok; warning: look at it today; bad: changes are not delivered, or only with a delay; unknown: it could not be checked, see found';
COMMENT ON COLUMN feed.health.found IS 'What the check found';
COMMENT ON COLUMN feed.health.fix IS 'What to do, ready to paste; null if nothing is wrong';
