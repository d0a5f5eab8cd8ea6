-- How the cards of a board went through its stages from one moment to another, as known at a third one (as_of), read from the changes of
-- stages. A visit is the time that a card spends in a stage. One scan of the board's part of the index finds them in order; everything
-- else is computed from them.
--
-- With many visits, sorting texts and computing with numeric cost more than the rest: hence collation C and date_part.
WITH closing AS MATERIALIZED (
    SELECT feed.short_text(e.value ->> 'id') AS phase, e.value ->> 'kind' AS kind FROM feed.boards AS b
    CROSS JOIN LATERAL jsonb_array_elements(CASE jsonb_typeof(b.phases) WHEN 'array' THEN b.phases ELSE '[]' END) AS e
    WHERE b.id = %(board)s AND e.value ->> 'kind' IN ('won', 'lost')
), visits AS MATERIALIZED (
    SELECT s.to_phase COLLATE "C" AS phase, s.at AS entered, lead(s.at) OVER same AS left_at,
           lead(s.to_phase) OVER same COLLATE "C" AS next_phase, first_value(s.at) OVER same AS started
    FROM feed.stage_changes AS s
    WHERE s.board_id = feed.short_text(%(board)s) AND s.at <= %(as_of)s
    WINDOW same AS (PARTITION BY s.opportunity_id ORDER BY s.seq)
), times AS MATERIALIZED (
    SELECT v.phase, count(*) AS left, percentile_cont(ARRAY[0.5, 0.85]) WITHIN GROUP (ORDER BY date_part('epoch', v.left_at - v.entered)) AS seconds
    FROM visits AS v
    WHERE v.phase IS NOT NULL AND v.entered < %(until)s AND v.left_at >= %(since)s AND v.left_at < %(until)s
    GROUP BY v.phase
), ways AS MATERIALIZED (
    SELECT v.phase, v.next_phase, v.left_at IS NOT NULL AS has_left,
           count(*) FILTER (WHERE v.entered >= %(since)s) AS entered,
           count(*) FILTER (WHERE v.left_at IS NULL OR v.left_at >= %(until)s) AS present
    FROM visits AS v WHERE v.phase IS NOT NULL AND v.entered < %(until)s GROUP BY 1, 2, 3
), points AS MATERIALIZED (
    SELECT n, %(since)s + (%(until)s - %(since)s) * n / %(points)s AS at FROM generate_series(0, %(points)s) AS n
), steps AS MATERIALIZED (
    -- Each visit adds a card from the first point after its beginning, and takes it away from the first one after its end.
    SELECT d.phase, width_bucket(d.at, (SELECT array_agg(p.at ORDER BY p.n) FROM points AS p)) AS n, sum(d.change) AS change
    FROM (SELECT v.phase, v.entered AS at, 1 AS change FROM visits AS v WHERE v.phase IS NOT NULL
          UNION ALL SELECT v.phase, v.left_at, -1 FROM visits AS v WHERE v.phase IS NOT NULL AND v.left_at IS NOT NULL) AS d
    WHERE d.at < %(until)s GROUP BY 1, 2
), cumulative AS MATERIALIZED (
    SELECT p.phase, jsonb_agg(p.cards ORDER BY p.n) AS cards
    FROM (SELECT f.phase, g.n, sum(coalesce(s.change, 0)) OVER (PARTITION BY f.phase ORDER BY g.n) AS cards
          FROM (SELECT DISTINCT s.phase FROM steps AS s) AS f CROSS JOIN points AS g
          LEFT JOIN steps AS s ON s.phase = f.phase AND s.n = g.n) AS p
    GROUP BY p.phase
), cycles AS MATERIALIZED (
    SELECT c.kind, date_part('epoch', v.entered - v.started) AS seconds FROM visits AS v JOIN closing AS c ON c.phase = v.phase
    WHERE v.entered >= %(since)s AND v.entered < %(until)s
), cycle AS MATERIALIZED (
    SELECT c.kind, count(*) AS cards, percentile_cont(ARRAY[0.5, 0.85]) WITHIN GROUP (ORDER BY c.seconds) AS seconds FROM cycles AS c GROUP BY c.kind
), buckets AS MATERIALIZED (
    SELECT c.kind, width_bucket(c.seconds, %(bounds)s::float8[]) AS n, count(*) AS cards FROM cycles AS c GROUP BY 1, 2
)
SELECT jsonb_build_object(
    'points', (SELECT jsonb_agg(to_char(p.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') ORDER BY p.n) FROM points AS p),
    'stages', (SELECT coalesce(jsonb_agg(jsonb_build_object(
                   'phase', f.phase, 'entered', f.entered, 'present', f.present, 'left', coalesce(t.left, 0),
                   'medianSeconds', t.seconds[1], 'p85Seconds', t.seconds[2], 'cards', coalesce(c.cards, '[]'), 'exits', f.exits) ORDER BY f.phase), '[]')
               FROM (SELECT w.phase, sum(w.entered) AS entered, sum(w.present) AS present,
                            coalesce(jsonb_agg(jsonb_build_object('phase', w.next_phase, 'cards', w.entered) ORDER BY w.entered DESC, w.next_phase)
                                     FILTER (WHERE w.has_left AND w.entered > 0), '[]') AS exits
                     FROM ways AS w GROUP BY w.phase) AS f
               LEFT JOIN times AS t ON t.phase = f.phase LEFT JOIN cumulative AS c ON c.phase = f.phase
               WHERE f.entered > 0 OR f.present > 0 OR t.left > 0),
    'cycle', (SELECT coalesce(jsonb_agg(jsonb_build_object(
                  'kind', y.kind, 'cards', y.cards, 'medianSeconds', y.seconds[1], 'p85Seconds', y.seconds[2],
                  'buckets', (SELECT jsonb_agg(coalesce(b.cards, 0) ORDER BY g.n) FROM generate_series(0, cardinality(%(bounds)s::float8[])) AS g(n)
                              LEFT JOIN buckets AS b ON b.n = g.n AND b.kind = y.kind)) ORDER BY y.kind DESC), '[]') FROM cycle AS y))::text AS flow
