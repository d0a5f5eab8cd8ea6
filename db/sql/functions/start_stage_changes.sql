-- Cards that were there before the log was have no first row in it. They begin when their table was attached.
CREATE FUNCTION feed.start_stage_changes() RETURNS SETOF text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    attached record;
BEGIN
    SELECT a.attached_at, a.was_empty INTO attached FROM feed.attached AS a WHERE a.relation = feed.opportunities_table();
    IF attached.was_empty IS DISTINCT FROM false THEN
        RETURN;
    END IF;
    INSERT INTO feed.stage_changes AS s (board_id, opportunity_id, seq, at, to_phase)
    SELECT f.board_id, f.opportunity_id, 0, attached.attached_at, f.from_phase
    FROM (SELECT DISTINCT ON (c.board_id, c.opportunity_id) c.* FROM feed.stage_changes AS c ORDER BY c.board_id, c.opportunity_id, c.seq) AS f
    WHERE f.from_phase IS NOT NULL
    UNION ALL
    SELECT feed.short_text(o.board_id), feed.short_text(o.id), 0, attached.attached_at, feed.short_text(o.body ->> 'phase')
    FROM feed.opportunities_on(ARRAY(SELECT b.id FROM feed.boards AS b)) AS o
    WHERE NOT EXISTS (SELECT FROM feed.stage_changes AS c
                      WHERE c.board_id = feed.short_text(o.board_id) AND c.opportunity_id = feed.short_text(o.id))
    ON CONFLICT DO NOTHING;
    RETURN QUERY SELECT o.id FROM feed.opportunities_on(ARRAY(SELECT b.id FROM feed.boards AS b)) AS o;
END
$$;
COMMENT ON FUNCTION feed.start_stage_changes() IS
    'Adds to feed.stage_changes the opportunities that were there when their table was attached. Returns the IDs of all, whose closings are to be noted. Used by feed.read_stage_changes.';
