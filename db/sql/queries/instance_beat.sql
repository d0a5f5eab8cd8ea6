-- An instance says that it runs and how far it is, and forgets those that have long been silent.
WITH gone AS (
    DELETE FROM feed.instances WHERE beat < clock_timestamp() - interval '5 min' AND instance <> %(instance)s
)
INSERT INTO feed.instances (instance, service, started, beat, swept, sweeps, cursor, anchor, connections, listens, ready,
                            tailer_pid, listener_pid)
VALUES (%(instance)s, %(service)s, clock_timestamp() - make_interval(secs => %(running)s), clock_timestamp(),
        clock_timestamp() - make_interval(secs => %(idle)s), %(sweeps)s, %(cursor)s, %(anchor)s, %(connections)s,
        %(listens)s, %(ready)s, %(tailer_pid)s, %(listener_pid)s)
ON CONFLICT (instance) DO UPDATE SET
    beat = excluded.beat,
    swept = excluded.swept,
    sweeps = excluded.sweeps,
    cursor = excluded.cursor,
    anchor = excluded.anchor,
    connections = excluded.connections,
    listens = excluded.listens,
    ready = excluded.ready,
    tailer_pid = excluded.tailer_pid,
    listener_pid = excluded.listener_pid
