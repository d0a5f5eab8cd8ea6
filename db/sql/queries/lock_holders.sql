-- Sessions that hold a lock on a table with triggers of the feed, in a transaction of more than a second.
SELECT string_agg(DISTINCT format('pid %s (%s)', l.pid, coalesce(nullif(a.application_name, ''), a.usename)), ', ')
FROM pg_locks AS l
JOIN feed.triggers AS t ON t.relation = l.relation
JOIN pg_stat_activity AS a ON a.pid = l.pid AND a.xact_start < clock_timestamp() - interval '1 s'
WHERE l.granted AND l.pid <> pg_backend_pid() AND l.mode IN ('RowExclusiveLock', 'ShareUpdateExclusiveLock', 'ShareLock',
      'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
