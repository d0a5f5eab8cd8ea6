-- A card that is in a stage of kind won or lost is closed. The row of its details follows, whether it was moved in SQL or over the API:
-- the API calls this in the transaction of its write, and feed.read_stage_changes for all others. It compares states, so calling it
-- again changes nothing. It reads the table of the cards, so it runs with the privileges of its caller.
CREATE FUNCTION feed.note_closings(keys text[]) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    names jsonb := (SELECT n.names FROM feed.card_names() AS n);
    noted bigint;
BEGIN
    INSERT INTO feed.opportunity_details AS d (opportunity_id, board_id, closed_phase, closed_at, close_reason)
    SELECT c.id, c.board_id, c.closed_phase,
           CASE WHEN c.closed_phase IS NOT NULL THEN coalesce(
               CASE WHEN known.closed_phase = c.closed_phase THEN known.closed_at END,
               (SELECT l.at FROM feed.log AS l
                WHERE l.relation = 'opportunities' AND l.key = c.id
                  AND (l.op IN ('insert', 'enter')
                       OR l.op = 'update' AND (l.delta IS NULL OR feed.card_image(l.old, names) ? 'phase')
                          AND feed.card_image(l.old, names) ->> 'phase' IS DISTINCT FROM feed.card_image(l.new, names) ->> 'phase')
                ORDER BY l.seq DESC LIMIT 1),
               (SELECT s.at FROM feed.stage_changes AS s WHERE s.board_id = feed.short_text(c.board_id) AND s.opportunity_id = feed.short_text(c.id)
                                                               AND s.to_phase = feed.short_text(c.closed_phase) ORDER BY s.seq DESC LIMIT 1),
               clock_timestamp()) END,
           CASE WHEN known.closed_phase = c.closed_phase THEN known.close_reason END
    FROM (SELECT o.id, o.board_id,
                 CASE WHEN feed.stage_kind(b.phases, o.body ->> 'phase') IN ('won', 'lost') THEN o.body ->> 'phase' END AS closed_phase
          FROM feed.opportunities_of(keys) AS o JOIN feed.boards AS b ON b.id = o.board_id
          WHERE feed.short_key(o.id) = o.id) AS c -- a longer one may not fit into an index, and the log has only its hash
    LEFT JOIN feed.opportunity_details AS known ON known.opportunity_id = c.id
    WHERE (known.closed_phase IS DISTINCT FROM c.closed_phase) OR known.board_id <> c.board_id
    ORDER BY c.id -- so that two sessions do not wait for each other's rows
    ON CONFLICT (opportunity_id) DO UPDATE
    SET board_id = excluded.board_id, closed_phase = excluded.closed_phase, closed_at = excluded.closed_at, close_reason = excluded.close_reason
    WHERE (d.board_id, d.closed_phase) IS DISTINCT FROM (excluded.board_id, excluded.closed_phase);
    GET DIAGNOSTICS noted = ROW_COUNT;
    RETURN noted;
END
$$;
COMMENT ON FUNCTION feed.note_closings(text[]) IS
    'Notes in feed.opportunity_details which of these opportunities are in a stage of kind won or lost, and since when. Returns how many rows it changed.';
