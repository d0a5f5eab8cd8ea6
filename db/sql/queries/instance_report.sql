-- Reports that an instance is running, how far it has read, and what it delivered when. Also removes instances that have
-- not reported for a long time, and old journal entries. All times are computed from the arrival of this statement, because
-- the instance sends ages.
WITH gone AS (
    DELETE FROM feed.instances WHERE reported_at < clock_timestamp() - interval '5 min' AND instance <> %(instance)s
), old AS (
    DELETE FROM feed.delivery_journal WHERE delivered_at < clock_timestamp() - interval '1 hour'
), new AS (
    INSERT INTO feed.delivery_journal (instance, read_at, delivered_at, since, cursor, reads, events, deliveries, clients, late, boards)
    SELECT %(instance)s, statement_timestamp() - make_interval(secs => s.read_at), statement_timestamp() - make_interval(secs => s.delivered_at),
           s.since, s.cursor, s.reads, s.events, s.deliveries, s.clients, s.late, s.boards
    FROM jsonb_to_recordset(%(journal)s::jsonb) AS s(read_at float, delivered_at float, since text, cursor text, reads int, events int, deliveries bigint,
                                                  clients int, late int, boards jsonb)
)
INSERT INTO feed.instances (instance, service, started, reported_at, read_at, reads, cursor, anchor, connections, listens, ready,
                            tailer_pid, listener_pid, client_positions, replica)
VALUES (%(instance)s, %(service)s, statement_timestamp() - make_interval(secs => %(running)s), statement_timestamp(),
        statement_timestamp() - make_interval(secs => %(since_read)s), %(reads)s, %(cursor)s, %(anchor)s, %(connections)s,
        %(listens)s, %(ready)s, %(tailer_pid)s, %(listener_pid)s, %(client_positions)s::jsonb, %(replica)s)
ON CONFLICT (instance) DO UPDATE SET
    reported_at = excluded.reported_at,
    read_at = excluded.read_at,
    reads = excluded.reads,
    cursor = excluded.cursor,
    anchor = excluded.anchor,
    connections = excluded.connections,
    listens = excluded.listens,
    ready = excluded.ready,
    tailer_pid = excluded.tailer_pid,
    listener_pid = excluded.listener_pid,
    client_positions = excluded.client_positions,
    replica = excluded.replica
