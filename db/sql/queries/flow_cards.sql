-- The cards behind a bar of the flow (see flow.sql), slowest first, with their titles if they still are on the board.
WITH closing AS MATERIALIZED (
    SELECT e.value ->> 'id' AS phase, e.value ->> 'kind' AS kind FROM feed.boards AS b
    CROSS JOIN LATERAL jsonb_array_elements(CASE jsonb_typeof(b.phases) WHEN 'array' THEN b.phases ELSE '[]' END) AS e
    WHERE b.id = %(board)s AND e.value ->> 'kind' IN ('won', 'lost')
), visits AS MATERIALIZED (
    SELECT s.opportunity_id AS card, s.to_phase AS phase, s.at AS entered, c.kind,
           lead(s.at) OVER same AS left_at, lead(s.to_phase) OVER same AS next_phase, first_value(s.at) OVER same AS started
    FROM feed.stage_changes AS s LEFT JOIN closing AS c ON c.phase = s.to_phase
    WHERE s.board_id = %(board)s AND s.at <= %(as_of)s
    WINDOW same AS (PARTITION BY s.opportunity_id ORDER BY s.seq)
), behind AS (
    SELECT v.card, max(extract(epoch FROM CASE WHEN %(chart)s = 'cycle' THEN v.entered - v.started
                                               ELSE coalesce(v.left_at, least(%(as_of)s, %(until)s)) - v.entered END)::float8) AS seconds
    FROM visits AS v
    WHERE v.phase IS NOT NULL AND CASE %(chart)s
        WHEN 'time' THEN v.phase = %(phase)s AND v.entered < %(until)s AND v.left_at >= %(since)s AND v.left_at < %(until)s
        WHEN 'present' THEN v.phase = %(phase)s AND v.entered < %(until)s AND (v.left_at IS NULL OR v.left_at >= %(until)s)
        WHEN 'entered' THEN v.phase = %(phase)s AND v.entered >= %(since)s AND v.entered < %(until)s
        WHEN 'exit' THEN v.phase = %(phase)s AND v.entered >= %(since)s AND v.entered < %(until)s AND v.left_at IS NOT NULL
                         AND v.next_phase IS NOT DISTINCT FROM %(next_phase)s::text
        WHEN 'cycle' THEN v.kind = %(phase)s AND v.entered >= %(since)s AND v.entered < %(until)s
                          AND (%(bucket)s::integer IS NULL OR width_bucket(extract(epoch FROM v.entered - v.started)::float8, %(bounds)s::float8[]) = %(bucket)s)
    END
    GROUP BY v.card
), page AS MATERIALIZED (
    SELECT b.*, count(*) OVER () AS total FROM behind AS b ORDER BY b.seconds DESC, b.card LIMIT %(limit)s
)
SELECT p.card, p.seconds, p.total, o.body ->> 'title' AS title
FROM page AS p LEFT JOIN feed.opportunities_of(ARRAY(SELECT q.card FROM page AS q)) AS o ON o.id = p.card AND o.board_id = %(board)s
ORDER BY p.seconds DESC, p.card
