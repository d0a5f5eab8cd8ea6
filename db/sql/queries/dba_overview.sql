-- All that stands in the DBA's tables, at one moment.
SELECT jsonb_build_object(
    'at', clock_timestamp(),
    'health', (SELECT jsonb_agg(jsonb_build_object('topic', h.topic, 'status', h.status, 'found', h.found, 'cure', h.cure) ORDER BY h.nr)
               FROM feed.health AS h),
    'instances', (SELECT coalesce(jsonb_agg(to_jsonb(i) ORDER BY i.service, i.instance), '[]')
                  FROM (SELECT l.instance, l.service, l.alive, l.ready, l.listens, l.connections, l.pacer, l.cursor, l.anchor, l.sweeps,
                               g.behind, extract(epoch FROM g.since)::float8 AS lag_seconds, extract(epoch FROM l.idle)::float8 AS idle_seconds,
                               extract(epoch FROM l.silent)::float8 AS silent_seconds, l.started, l.tailer, l.listener
                        FROM feed.listeners AS l LEFT JOIN feed.lag AS g USING (instance)) AS i),
    'triggers', (SELECT coalesce(jsonb_agg(to_jsonb(t) ORDER BY t.relation::text, t.trigger), '[]')
                 FROM (SELECT t.relation::text, t.trigger, t.state, t.function, t.key, t.board, t.calls, t.us_per_call
                       FROM feed.triggers AS t) AS t),
    'retention', (SELECT coalesce(jsonb_agg(to_jsonb(r) ORDER BY r.first_seq NULLS LAST, r.piece), '[]')
                  FROM (SELECT r.piece::text, r.first_seq, r.first_at, r.last_seq, r.last_at, r.changes, r.bytes FROM feed.retention AS r) AS r),
    'flags', (SELECT coalesce(jsonb_agg(to_jsonb(f) ORDER BY f.flag, f.scope, f.user_id), '[]')
              FROM (SELECT f.flag, f.scope, nullif(f.user_id, '') AS user_id, f.share, f.value, f.at, f.who FROM feed.flags AS f) AS f),
    'kept_seconds', (SELECT extract(epoch FROM k.retention)::float8 FROM feed.keeper AS k),
    'gaps', (SELECT coalesce(jsonb_agg(to_jsonb(g) ORDER BY g.at DESC), '[]')
             FROM (SELECT n.at, n.board, n.user_id, n.cause, n.meaning, n.cards, n.expected_count, n.held_count, n.cursor, n.instance
                   FROM feed.gaps AS n ORDER BY n.at DESC LIMIT 50) AS g)
)::text
