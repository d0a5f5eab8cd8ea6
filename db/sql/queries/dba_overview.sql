-- Everything shown in the DBA's tables, at one point in time.
SELECT jsonb_build_object(
    'at', clock_timestamp(),
    'health', (SELECT jsonb_agg(jsonb_build_object('topic', h.topic, 'status', h.status, 'found', h.found, 'fix', h.fix) ORDER BY h.nr)
               FROM feed.health AS h),
    'instances', (SELECT coalesce(jsonb_agg(to_jsonb(i) ORDER BY i.service, i.instance), '[]')
                  FROM (SELECT l.instance, l.service, l.alive, l.ready, l.listens, l.connections, l.pacer, l.cursor, l.anchor, l.reads,
                               g.behind, extract(epoch FROM g.delay)::float8 AS lag_seconds, extract(epoch FROM l.since_read)::float8 AS since_read_seconds,
                               extract(epoch FROM l.since_report)::float8 AS since_report_seconds, l.started, l.tailer, l.listener
                        FROM feed.instance_status AS l LEFT JOIN feed.lag AS g USING (instance)) AS i),
    'triggers', (SELECT coalesce(jsonb_agg(to_jsonb(t) ORDER BY t.relation::text, t.trigger), '[]')
                 FROM (SELECT t.relation::text, t.trigger, t.state, t.function, t.key, t.board, t.calls, t.us_per_call
                       FROM feed.triggers AS t) AS t),
    'retention', (SELECT coalesce(jsonb_agg(to_jsonb(r) ORDER BY r.first_seq NULLS LAST, r.partition), '[]')
                  FROM (SELECT r.partition::text, r.first_seq, r.first_at, r.last_seq, r.last_at, r.changes, r.bytes FROM feed.retention AS r) AS r),
    'flags', (SELECT coalesce(jsonb_agg(to_jsonb(f) ORDER BY f.flag, f.scope, f.user_id), '[]')
              FROM (SELECT f.flag, f.scope, nullif(f.user_id, '') AS user_id, f.percentage, f.value, f.at, f.set_by FROM feed.flags AS f) AS f),
    'retention_seconds', (SELECT extract(epoch FROM k.retention)::float8 FROM feed.maintenance AS k),
    'gaps', (SELECT coalesce(jsonb_agg(to_jsonb(g) ORDER BY g.at DESC), '[]')
             FROM (SELECT n.at, n.board, n.user_id, n.cause, n.meaning, n.cards, n.expected_count, n.held_count, n.cursor, n.instance
                   FROM feed.gaps AS n ORDER BY n.at DESC LIMIT 50) AS g)
)::text
