-- An instance says that it runs, how far it is, and when it has told what; it forgets those that have long been silent, and what was
-- told long ago. All by the moment at which this came, since ages are what it knows.
WITH gone AS (
    DELETE FROM feed.instances WHERE beat < clock_timestamp() - interval '5 min' AND instance <> %(instance)s
), old AS (
    DELETE FROM feed.sweeps WHERE told < clock_timestamp() - interval '1 hour'
), new AS (
    INSERT INTO feed.sweeps (instance, read, told, since, cursor, sweeps, events, deliveries, clients, late, boards)
    SELECT %(instance)s, statement_timestamp() - make_interval(secs => s.read), statement_timestamp() - make_interval(secs => s.told),
           s.since, s.cursor, s.sweeps, s.events, s.deliveries, s.clients, s.late, s.boards
    FROM jsonb_to_recordset(%(told)s::jsonb) AS s(read float, told float, since text, cursor text, sweeps int, events int, deliveries bigint,
                                                  clients int, late int, boards jsonb)
)
INSERT INTO feed.instances (instance, service, started, beat, swept, sweeps, cursor, anchor, connections, listens, ready,
                            tailer_pid, listener_pid, acks, replica)
VALUES (%(instance)s, %(service)s, statement_timestamp() - make_interval(secs => %(running)s), statement_timestamp(),
        statement_timestamp() - make_interval(secs => %(idle)s), %(sweeps)s, %(cursor)s, %(anchor)s, %(connections)s,
        %(listens)s, %(ready)s, %(tailer_pid)s, %(listener_pid)s, %(acks)s::jsonb, %(replica)s)
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
    listener_pid = excluded.listener_pid,
    acks = excluded.acks,
    replica = excluded.replica
