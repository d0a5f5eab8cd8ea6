-- The cards behind a bar of the flow (see flow.sql), slowest first, with their titles if they still are on the board.
WITH closing AS MATERIALIZED (
    SELECT feed.short_text(e.value ->> 'id') AS phase, e.value ->> 'kind' AS kind FROM feed.boards AS b
    CROSS JOIN LATERAL jsonb_array_elements(CASE jsonb_typeof(b.phases) WHEN 'array' THEN b.phases ELSE '[]' END) AS e
    WHERE b.id = %(board)s AND e.value ->> 'kind' IN ('won', 'lost')
), visits AS MATERIALIZED (
    SELECT s.opportunity_id AS card, s.to_phase COLLATE "C" AS phase, s.at AS entered, lead(s.at) OVER same AS left_at,
           lead(s.to_phase) OVER same COLLATE "C" AS next_phase, first_value(s.at) OVER same AS started
    FROM feed.stage_changes AS s
    WHERE s.board_id = feed.short_text(%(board)s) AND s.at <= %(as_of)s
    WINDOW same AS (PARTITION BY s.opportunity_id ORDER BY s.seq)
), behind AS MATERIALIZED (
    SELECT v.card, max(date_part('epoch', CASE WHEN %(chart)s = 'cycle' THEN v.entered - v.started
                                               ELSE coalesce(v.left_at, least(%(as_of)s, %(until)s)) - v.entered END)) AS seconds
    FROM visits AS v
    WHERE v.entered < %(until)s AND CASE %(chart)s
        WHEN 'time' THEN v.phase = feed.short_text(%(phase)s) AND v.left_at >= %(since)s AND v.left_at < %(until)s
        WHEN 'present' THEN v.phase = feed.short_text(%(phase)s) AND (v.left_at IS NULL OR v.left_at >= %(until)s)
        WHEN 'entered' THEN v.phase = feed.short_text(%(phase)s) AND v.entered >= %(since)s
        WHEN 'exit' THEN v.phase = feed.short_text(%(phase)s) AND v.entered >= %(since)s AND v.left_at IS NOT NULL
                         AND v.next_phase IS NOT DISTINCT FROM feed.short_text(%(next_phase)s)
        WHEN 'cycle' THEN v.phase IN (SELECT c.phase FROM closing AS c WHERE c.kind = %(phase)s) AND v.entered >= %(since)s
                          AND (%(bucket)s::integer IS NULL OR width_bucket(date_part('epoch', v.entered - v.started), %(bounds)s::float8[]) = %(bucket)s)
    END
    GROUP BY v.card
), page AS MATERIALIZED (
    SELECT b.card, b.seconds, (SELECT count(*) FROM behind) AS total FROM behind AS b ORDER BY b.seconds DESC, b.card COLLATE "C" LIMIT %(limit)s
)
SELECT p.card, p.seconds, p.total, o.body ->> 'title' AS title
FROM page AS p LEFT JOIN feed.opportunities_of(ARRAY(SELECT q.card FROM page AS q)) AS o ON o.id = p.card AND o.board_id = %(board)s
ORDER BY p.seconds DESC, p.card COLLATE "C"
