-- Copies what came to the log since the last call, as any reader does: what is visible now and was not visible at the position. Then the
-- closings of these opportunities are noted, and those of boards whose stages changed. One session at a time. It reads the table of the
-- cards, so it runs with the privileges of its caller.
CREATE FUNCTION feed.read_stage_changes(batch integer, waits boolean DEFAULT false) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    reader feed.stage_reader;
    now_seen pg_snapshot;
    until pg_snapshot;
    since_xip xid8[];
    upto xid8;
    names jsonb := (SELECT n.names FROM feed.card_names() AS n);
    start_partition bigint := (SELECT i.first_partition FROM feed.identity AS i);
    foreign_rows boolean;
    touched text[];
    emptied bigint[];
BEGIN
    IF waits THEN
        SELECT r.* INTO reader FROM feed.stage_reader AS r FOR UPDATE;
    ELSE
        SELECT r.* INTO reader FROM feed.stage_reader AS r FOR UPDATE SKIP LOCKED;
    END IF;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    now_seen := pg_current_snapshot();
    -- A dump was restored in another cluster. The rows that it brought have transaction IDs of the old one: read them all again.
    foreign_rows := reader.first_partition <> start_partition;
    IF foreign_rows THEN
        SELECT (x.first || ':' || x.first || ':')::pg_snapshot INTO reader.position
        FROM (SELECT greatest(i.first_xid::text::bigint, 3) AS first FROM feed.identity AS i) AS x;
    END IF;
    until := now_seen;
    since_xip := ARRAY(SELECT x FROM pg_snapshot_xip(reader.position) AS x ORDER BY x);
    -- With much to read, stop after some transactions.
    SELECT l.xid INTO upto FROM feed.log AS l
    WHERE l.xid >= pg_snapshot_xmax(reader.position) AND l.xid < pg_snapshot_xmax(now_seen) AND l.partition_number >= start_partition
    ORDER BY l.xid OFFSET batch LIMIT 1;
    IF upto > pg_snapshot_xmax(reader.position) THEN
        SELECT (least(min(x), upto)::text || ':' || upto || ':' || coalesce(string_agg(x::text, ',' ORDER BY x), ''))::pg_snapshot INTO until
        FROM pg_snapshot_xip(now_seen) AS x WHERE x < upto;
    END IF;
    WITH fresh AS MATERIALIZED (
        SELECT l.* FROM feed.changes_since(pg_snapshot_xmax(reader.position), since_xip, pg_snapshot_xmax(until),
                                           ARRAY(SELECT x FROM pg_snapshot_xip(until) AS x ORDER BY x)) AS l
        WHERE l.relation IN ('opportunities', 'feed.boards')
        UNION ALL
        SELECT l.* FROM feed.log AS l WHERE foreign_rows AND l.partition_number < start_partition AND l.relation = 'opportunities'
    ), moves AS (
        SELECT f.board, f.key, f.seq, f.at, p.before, p.after
        FROM fresh AS f
        -- As clients know them. The call costs more than all the rest, so it is made only if a column was named.
        CROSS JOIN LATERAL (SELECT CASE WHEN names IS NULL THEN f.old ELSE feed.card_image(f.old, names) END AS old,
                                   CASE WHEN names IS NULL THEN f.new ELSE feed.card_image(f.new, names) END AS new OFFSET 0) AS i
        CROSS JOIN LATERAL (SELECT CASE WHEN f.op IN ('update', 'delete', 'leave') THEN i.old ->> 'phase' END AS before,
                                   CASE WHEN f.op IN ('update', 'insert', 'enter') THEN i.new ->> 'phase' END AS after) AS p
        WHERE f.relation = 'opportunities' AND f.key IS NOT NULL AND f.board IS NOT NULL
          -- An update of a large row has only the columns that changed.
          AND (f.op <> 'update' OR (f.delta IS NULL OR i.old ? 'phase') AND p.before IS DISTINCT FROM p.after)
    ), copied AS (
        INSERT INTO feed.stage_changes (board_id, opportunity_id, seq, at, from_phase, to_phase)
        SELECT feed.short_text(m.board), feed.short_text(m.key), m.seq, m.at, feed.short_text(m.before), feed.short_text(m.after)
        FROM moves AS m ON CONFLICT DO NOTHING
        RETURNING opportunity_id
    )
    SELECT coalesce(array_agg(DISTINCT m.key), '{}') || ARRAY(
        SELECT o.id FROM feed.opportunities_on(ARRAY(
            SELECT f.board FROM fresh AS f
            WHERE f.relation = 'feed.boards' AND f.op IN ('insert', 'update') AND f.old -> 'phases' IS DISTINCT FROM f.new -> 'phases')) AS o),
        (SELECT array_agg(f.seq ORDER BY f.seq) FROM fresh AS f WHERE f.relation = 'opportunities' AND f.op = 'truncate')
    INTO touched, emptied FROM moves AS m;
    IF emptied IS NOT NULL THEN
        -- TRUNCATE has one row in the log for all cards.
        INSERT INTO feed.stage_changes (board_id, opportunity_id, seq, at, from_phase)
        SELECT s.board_id, s.opportunity_id, l.seq, l.at, s.to_phase
        FROM feed.log AS l
        CROSS JOIN LATERAL (SELECT DISTINCT ON (s.board_id, s.opportunity_id) s.board_id, s.opportunity_id, s.to_phase FROM feed.stage_changes AS s
                            WHERE s.seq < l.seq ORDER BY s.board_id, s.opportunity_id, s.seq DESC) AS s
        WHERE l.seq = ANY (emptied) AND s.to_phase IS NOT NULL
        ON CONFLICT DO NOTHING;
    END IF;
    IF upto IS NULL AND NOT reader.has_start THEN
        touched := touched || ARRAY(SELECT feed.start_stage_changes());
        reader.has_start := true;
    END IF;
    IF touched <> '{}' THEN
        PERFORM feed.note_closings(touched);
    END IF;
    UPDATE feed.stage_reader AS r SET position = until, first_partition = start_partition, has_start = reader.has_start;
    RETURN upto IS NOT NULL;
END
$$;
COMMENT ON FUNCTION feed.read_stage_changes(integer, boolean) IS
    'Copies the changes of stages in about the next batch rows of feed.log to feed.stage_changes, and notes which opportunities were won or lost. Returns whether there are more. If another session is doing this, it waits for that one (waits) or does nothing.';
