-- Settings of this session with which break or impair the feed.
WITH faults AS (
    SELECT s.name, s.reset_val AS is, s.source, w.status, w.why
    FROM pg_settings AS s
    JOIN (VALUES ('default_transaction_read_only', 'bad', 'nobody can write'),
                 ('session_replication_role', 'bad', 'writes are not logged'),
                 ('fsync', 'warning', 'a crash may undo changes that clients have received'),
                 ('full_page_writes', 'warning', 'a crash may undo changes that clients have received'),
                 ('autovacuum', 'warning', 'the tables of the tables grow, and transaction IDs run out'),
                 ('track_counts', 'warning', 'the tables tables grow, and transaction IDs run out'),
                 ('max_notify_queue_pages', 'warning', 'the NOTIFY queue is small, and writes fail when it is full')) AS w(name, status, why)
      ON w.name = s.name
    WHERE CASE WHEN s.name = 'session_replication_role' THEN s.reset_val = 'replica'
               WHEN s.name = 'default_transaction_read_only' THEN s.reset_val = 'on' AND NOT pg_is_in_recovery()
               WHEN s.name = 'max_notify_queue_pages' THEN s.reset_val::bigint < 10000
               ELSE s.reset_val = 'off' END
)
SELECT 'settings' AS topic,
       CASE WHEN bool_or(f.status = 'bad') THEN 'bad' WHEN count(*) > 0 THEN 'warning' ELSE 'ok' END AS status,
       coalesce(string_agg(format('%s is %s: %s', f.name, f.is, f.why), '; ' ORDER BY f.status, f.name),
                'a dead client is detected after ' || CASE current_setting('tcp_keepalives_idle') WHEN '0' THEN 'the operating system''s default time'
                                                            ELSE current_setting('tcp_keepalives_idle') || ' s' END
                || ', idle transactions are '
                || coalesce('terminated after ' || nullif(current_setting('idle_in_transaction_session_timeout'), '0'), 'never terminated')) AS found,
       string_agg(CASE f.source WHEN 'user' THEN format('ALTER ROLE %I RESET %s;', session_user, f.name)
                                WHEN 'database' THEN format('ALTER DATABASE %I RESET %s;', current_database(), f.name)
                                WHEN 'database user' THEN format('ALTER ROLE %I IN DATABASE %I RESET %s;', session_user, current_database(), f.name)
                                WHEN 'client' THEN format('unset PGOPTIONS # or remove %s from the connection URL', f.name)
                                ELSE format('ALTER SYSTEM SET %s = %L;', f.name, (SELECT boot_val FROM pg_settings AS b WHERE b.name = f.name)) END,
                  ' ' ORDER BY f.status, f.name)
       || CASE WHEN bool_or(f.source NOT IN ('user', 'database', 'database user', 'client'))
               THEN ' SELECT pg_reload_conf(); -- if a restart of enough, restart the server' ELSE '' END AS fix
FROM faults AS f
