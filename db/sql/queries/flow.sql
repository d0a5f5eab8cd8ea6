-- How the cards of a board went through its stages from one moment to another, as known at a third one (as_of), read from the changes of
-- stages. One scan of the board's part of the index; everything else is computed from its rows.
--
-- A visit is the time that a card spends in a stage. closing: the stages of kind won and lost, with their kind.
WITH closing AS MATERIALIZED (
    SELECT e.value ->> 'id' AS phase, e.value ->> 'kind' AS kind FROM feed.boards AS b
    CROSS JOIN LATERAL jsonb_array_elements(CASE jsonb_typeof(b.phases) WHEN 'array' THEN b.phases ELSE '[]' END) AS e
    WHERE b.id = %(board)s AND e.value ->> 'kind' IN ('won', 'lost')
), visits AS MATERIALIZED (
    SELECT s.opportunity_id AS card, s.from_phase, s.to_phase AS phase, s.at AS entered, c.kind,
           lead(s.at) OVER same AS left_at, lead(s.to_phase) OVER same AS next_phase, first_value(s.at) OVER same AS started
    FROM feed.stage_changes AS s LEFT JOIN closing AS c ON c.phase = s.to_phase
    WHERE s.board_id = %(board)s AND s.at <= %(as_of)s
    WINDOW same AS (PARTITION BY s.opportunity_id ORDER BY s.seq)
), times AS (
    SELECT v.phase, count(*) FILTER (WHERE v.left_at < %(until)s) AS left,
           count(*) FILTER (WHERE v.left_at IS NULL OR v.left_at >= %(until)s) AS present,
           percentile_cont(ARRAY[0.5, 0.85]) WITHIN GROUP (ORDER BY extract(epoch FROM v.left_at - v.entered)::float8)
               FILTER (WHERE v.left_at < %(until)s) AS seconds
    FROM visits AS v
    WHERE v.phase IS NOT NULL AND v.entered < %(until)s AND (v.left_at IS NULL OR v.left_at >= %(since)s)
    GROUP BY v.phase
), entries AS (
    SELECT v.phase, count(DISTINCT v.card) AS entered FROM visits AS v
    WHERE v.phase IS NOT NULL AND v.entered >= %(since)s AND v.entered < %(until)s GROUP BY v.phase
), exits AS (
    SELECT v.phase, v.next_phase, count(DISTINCT v.card) AS cards FROM visits AS v
    WHERE v.phase IS NOT NULL AND v.entered >= %(since)s AND v.entered < %(until)s AND v.left_at IS NOT NULL GROUP BY v.phase, v.next_phase
), points AS (
    SELECT n, %(since)s + (%(until)s - %(since)s) * n / %(points)s AS at FROM generate_series(0, %(points)s) AS n
), steps AS (
    -- Each visit adds one card from the first point after its beginning, and takes it away from the first one after its end.
    SELECT d.phase, greatest(0, ceil(%(points)s * (extract(epoch FROM d.at - %(since)s) / extract(epoch FROM %(until)s - %(since)s)))::integer) AS n, sum(d.change) AS change
    FROM (SELECT v.phase, v.entered AS at, 1 AS change FROM visits AS v WHERE v.phase IS NOT NULL
          UNION ALL SELECT v.phase, v.left_at, -1 FROM visits AS v WHERE v.phase IS NOT NULL AND v.left_at IS NOT NULL) AS d
    WHERE d.at <= %(until)s GROUP BY 1, 2
), cumulative AS (
    SELECT p.phase, jsonb_agg(p.cards ORDER BY p.n) AS cards
    FROM (SELECT f.phase, g.n, sum(coalesce(s.change, 0)) OVER (PARTITION BY f.phase ORDER BY g.n) AS cards
          FROM (SELECT DISTINCT s.phase FROM steps AS s) AS f CROSS JOIN points AS g
          LEFT JOIN steps AS s ON s.phase = f.phase AND s.n = g.n) AS p
    GROUP BY p.phase
), cycles AS MATERIALIZED (
    SELECT v.kind, extract(epoch FROM v.entered - v.started)::float8 AS seconds FROM visits AS v
    WHERE v.kind IS NOT NULL AND v.entered >= %(since)s AND v.entered < %(until)s
), cycle AS (
    SELECT c.kind, count(*) AS cards, percentile_cont(ARRAY[0.5, 0.85]) WITHIN GROUP (ORDER BY c.seconds) AS seconds,
           ARRAY(SELECT count(d.seconds) FROM generate_series(0, cardinality(%(bounds)s::float8[])) AS b
                 LEFT JOIN cycles AS d ON d.kind = c.kind AND width_bucket(d.seconds, %(bounds)s::float8[]) = b GROUP BY b ORDER BY b) AS buckets
    FROM cycles AS c GROUP BY c.kind
)
SELECT jsonb_build_object(
    'points', (SELECT jsonb_agg(to_char(p.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') ORDER BY p.n) FROM points AS p),
    'stages', (SELECT coalesce(jsonb_agg(jsonb_build_object(
                   'phase', f.phase, 'entered', coalesce(e.entered, 0), 'left', coalesce(t.left, 0), 'present', coalesce(t.present, 0),
                   'medianSeconds', t.seconds[1], 'p85Seconds', t.seconds[2], 'cards', coalesce(c.cards, '[]'),
                   'exits', (SELECT coalesce(jsonb_agg(jsonb_build_object('phase', x.next_phase, 'cards', x.cards) ORDER BY x.cards DESC, x.next_phase), '[]')
                             FROM exits AS x WHERE x.phase = f.phase)) ORDER BY f.phase), '[]')
               FROM (SELECT phase FROM times UNION SELECT phase FROM entries UNION SELECT phase FROM cumulative) AS f
               LEFT JOIN times AS t ON t.phase = f.phase LEFT JOIN entries AS e ON e.phase = f.phase LEFT JOIN cumulative AS c ON c.phase = f.phase),
    'cycle', (SELECT coalesce(jsonb_agg(jsonb_build_object('kind', y.kind, 'cards', y.cards, 'medianSeconds', y.seconds[1], 'p85Seconds', y.seconds[2],
                                                           'buckets', y.buckets) ORDER BY y.kind DESC), '[]') FROM cycle AS y))::text AS flow
