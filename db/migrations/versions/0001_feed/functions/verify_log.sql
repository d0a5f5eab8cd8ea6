-- Compares the log with the table and with itself, for a batch of keys in the log's order. It is one statement with one snapshot, so a
-- concurrent write is visible in both or in neither. The last row, which has no finding, returns how far the batch got (upto; null at
-- the end) and how many rows it read.
--
-- The changes of a row form a chain: each starts with the image with which the one before it ended. A new chain starts where
-- readers do (reload), and where the table was emptied (truncate).
--
-- A change of a large row may have only the changed columns (see feed.compact_change). Its image is completed, and must have the
-- hash in image_hash. The image before the next change must also have this hash; the columns are compared only if it does not.
--
-- A name may have come to stand for another column or type between two images (see feed.redefined_columns): it is not compared then.
CREATE FUNCTION feed.verify_log(target regclass, after text DEFAULT NULL, keys integer DEFAULT 1000)
RETURNS TABLE (finding text, key text, seq bigint, logged integer, found integer, columns text[], upto text, read bigint)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, feed, pg_temp
-- Like feed.capture, so that values have the same JSON form.
SET timezone = 'UTC'
SET datestyle = 'ISO, YMD'
SET intervalstyle = 'postgres'
SET bytea_output = 'hex'
SET extra_float_digits = 1
SET lc_monetary = 'C'
SET quote_all_identifiers = off
-- Raise an error if row security hides rows, instead of reporting them as missing.
SET row_security = off
-- Compiling the statement would take longer than running it.
SET jit = off
AS $$
DECLARE
    parts record := feed.fed_columns(target);
    last text;
    emptied bigint;
    reloaded bigint;
    starts bigint[];
    floor bigint;
    redefined record;
    key_of text;
    -- A column may have had another name then.
    other_key CONSTANT text := 'CASE WHEN %2$s ?& $11 AND h.seq > $15 THEN %1$s <> h.key ELSE cardinality($11) = 1 AND %2$s IS NOT NULL '
                               'AND NOT EXISTS (SELECT FROM jsonb_each_text(%2$s) AS e WHERE feed.short_key(e.value) = h.key) END';
BEGIN
    IF target IS NULL THEN
        RETURN;
    END IF;
    key_of := format('feed.short_key(%s)', CASE WHEN cardinality(parts.key) = 1 THEN '%2$s ->> %3$L' ELSE 'feed.row_key(%2$s, %1$L)' END);
    SELECT max(l.seq) FILTER (WHERE l.op = 'truncate'), max(l.seq) FILTER (WHERE l.op = 'reload' AND l.origin = 'attach'), array_agg(l.seq ORDER BY l.seq)
    INTO emptied, reloaded, starts
    FROM feed.log AS l WHERE l.relation = parts.relation AND l.key IS NULL AND l.op IN ('truncate', 'reload') AND l.seq > parts.seq;
    SELECT i.floor_seq INTO floor FROM feed.identity AS i;
    SELECT coalesce(array_agg(r.name), '{}') AS names, array_agg(r.after) AS after, array_agg(r.upto) AS upto,
           coalesce(max(r.upto) FILTER (WHERE r.name = ANY (parts.key)), 0) AS key_upto, max(r.upto) FILTER (WHERE r.name = parts.board) AS board_upto
    INTO redefined FROM feed.redefined_columns(target) AS r;
    SELECT max(k.key) INTO last
    FROM (SELECT DISTINCT l.key FROM feed.log AS l
          WHERE l.relation = parts.relation AND l.key >= coalesce(after, '') AND l.key IS DISTINCT FROM after ORDER BY l.key LIMIT keys) AS k;
    -- To plan the statement takes some milliseconds.
    IF last IS NULL THEN
        RETURN QUERY SELECT NULL, NULL, NULL::bigint, NULL::integer, NULL::integer, NULL::text[], NULL, 0::bigint;
        RETURN;
    END IF;
    RETURN QUERY EXECUTE format($query$
        WITH history AS MATERIALIZED (
            SELECT l.*, lag(l.seq) OVER same AS before_seq, lag(l.version) OVER same AS before_version, lead(l.seq) OVER same IS NULL AS newest,
                   lag(l.op) OVER linked AS last_op, lag(l.seq) OVER linked AS last_seq, lag(l.xid) OVER linked AS last_xid,
                   lag(l.old) OVER linked AS last_old, lag(l.new) OVER linked AS last_new,
                   lag(l.delta) OVER linked AS last_delta, lag(l.image_hash) OVER linked AS last_hash,
                   lag(l.partition_number) OVER linked AS last_partition
            FROM (SELECT l.key, l.seq, l.xid, l.op, l.board, l.version, l.origin, l.old, l.new, l.delta, l.image_hash, l.partition_number,
                         width_bucket(l.seq, $5) AS chain
                  FROM feed.log AS l
                  WHERE l.relation = %1$L AND l.key >= coalesce($1, '') AND l.key IS DISTINCT FROM $1 AND l.key <= $2 AND l.seq > $4) AS l
            WINDOW same AS (PARTITION BY l.key ORDER BY l.seq), linked AS (PARTITION BY l.key, l.chain ORDER BY l.seq)
        ), compared AS (
            SELECT k.logged AS key, k.seq, k.version, k.after AS image, t.data,
                   k.op IN ('insert', 'update', 'enter') AND k.after IS NOT NULL AND k.seq > coalesce($3, 0) AS lives
            -- A key that is not that of its row may not even have the type of the key.
            FROM (SELECT h.key AS logged, CASE WHEN i.before IS NOT NULL AND NOT (%4$s) OR i.after IS NOT NULL AND NOT (%5$s) THEN
                             CASE WHEN coalesce(i.after, i.before) ?& $11 AND h.seq > $15 OR cardinality($11) > 1
                                       OR feed.normalize_image(%2$L, jsonb_build_object($11[1], h.key)) <> jsonb_build_object($11[1], h.key) THEN h.key END END AS key,
                         h.seq, h.version, i.after, h.op
                  FROM history AS h
                  CROSS JOIN LATERAL (
                      SELECT feed.image_before(%1$L, h.key, h.seq, h.op, h.old, h.new, h.delta) AS before,
                             feed.image_after(%1$L, h.key, h.seq, h.op, h.old, h.new, h.delta) AS after OFFSET 0) AS i
                  WHERE h.newest) AS k
            LEFT JOIN LATERAL (%3$s) AS t ON true
        ), judged AS (
            SELECT c.key, c.seq, c.version, feed.version_number(c.data) AS found,
                   CASE WHEN c.lives AND c.data IS NULL THEN 'gone'
                        WHEN NOT c.lives AND c.data IS NOT NULL THEN 'back'
                        WHEN c.lives AND d.columns IS NOT NULL THEN 'changed' END AS finding, d.columns
            FROM compared AS c
            LEFT JOIN LATERAL (
                SELECT array_agg(n.key ORDER BY n.key) AS columns
                FROM (SELECT c.image - ARRAY(SELECT r.name FROM unnest($12, $14) AS r(name, upto) WHERE c.seq <= r.upto) AS image OFFSET 0) AS last
                CROSS JOIN jsonb_each(c.data) AS n
                JOIN jsonb_each(feed.normalize_image(%2$L, last.image)) AS o ON o.key = n.key
                WHERE last.image ? n.key AND n.value IS DISTINCT FROM o.value
            ) AS d ON c.lives AND c.data IS NOT NULL AND c.data <> c.image
        ), checked AS MATERIALIZED (
            SELECT h.key, h.seq, h.version, h.before_version, d.columns AS differing, w.columns AS wrong, p.incomplete,
                   -- Something between this change and the one before it is missing.
                   CASE
                       -- An earlier row may have been pruned, or the table may have had rows before the log began.
                       WHEN h.last_op IS NULL THEN h.op <> 'insert' AND CASE WHEN h.chain = 0 THEN $7 ELSE $8[h.chain] END
                       WHEN h.last_seq <= $6 THEN false
                       WHEN h.op = 'enter' OR h.last_op = 'leave'
                       THEN (h.op, h.last_op, h.last_xid) IS DISTINCT FROM ('enter', 'leave', h.xid)
                            OR b.before IS DISTINCT FROM h.last_old OR a.after IS DISTINCT FROM h.last_old || h.last_new
                       WHEN h.op = 'insert' OR h.last_op = 'delete' THEN (h.op, h.last_op) <> ('insert', 'delete')
                       ELSE d.columns IS NOT NULL END
                   OR p.incomplete AND NOT p.follows
                   -- Where no image is left to compare with. Other tables may number their versions as they like.
                   OR %1$L = 'opportunities' AND h.last_op IS NULL AND h.before_seq > $6 AND h.op IN ('update', 'leave')
                      AND feed.version_number(b.before) <> h.before_version AND ('version_number' = ANY (x.names)) IS NOT TRUE AS hole
            FROM history AS h
            CROSS JOIN LATERAL (SELECT feed.image_after(%1$L, h.key, h.seq, h.op, h.old, h.new, h.delta) AS after OFFSET 0) AS a
            CROSS JOIN LATERAL (
                SELECT CASE WHEN h.delta > 0 AND h.op <> 'leave' THEN a.after || h.old
                            ELSE feed.image_before(%1$L, h.key, h.seq, h.op, h.old, h.new, h.delta) END AS before OFFSET 0) AS b
            -- The image that the last change left, from its hash alone.
            CROSS JOIN LATERAL (
                SELECT CASE WHEN h.last_delta > 0 THEN jsonb_hash_extended(b.before, 0) = h.last_hash
                            WHEN h.op IN ('update', 'leave', 'delete') THEN b.before = h.last_new END AS same OFFSET 0) AS s
            CROSS JOIN LATERAL (
                -- An image that does not have its hash, although the one before it has. If the count of changes since the whole
                -- row has a gap, a change was deleted; otherwise this one was altered.
                SELECT h.delta > 0 AND jsonb_hash_extended(a.after, 0) IS DISTINCT FROM h.image_hash
                       AND (h.last_op IS NULL OR coalesce(h.last_delta, 0) = 0 OR s.same) IS TRUE AS incomplete,
                       (h.delta, h.partition_number) IS NOT DISTINCT FROM (coalesce(h.last_delta, 0) + 1, h.last_partition) AS follows OFFSET 0) AS p
            CROSS JOIN LATERAL (
                SELECT CASE WHEN $12 <> '{}' THEN ARRAY(SELECT r.name FROM unnest($12, $13, $14) AS r(name, after, upto)
                                                        WHERE h.seq > r.after AND h.before_seq <= r.upto) END AS names OFFSET 0) AS x
            LEFT JOIN LATERAL (
                -- Columns may have been added or dropped in between, or converted by a type whose texts the other one reads.
                SELECT array_agg(n.key ORDER BY n.key) AS columns
                FROM (SELECT feed.image_after(%1$L, h.key, h.last_seq, h.last_op, h.last_old, h.last_new, h.last_delta) - coalesce(x.names, '{}') AS image
                      WHERE h.op IN ('update', 'leave', 'delete') AND NOT s.same OFFSET 0) AS last
                CROSS JOIN jsonb_each(CASE WHEN last.image IS NOT NULL THEN feed.normalize_image(%2$L, b.before - coalesce(x.names, '{}')) END) AS n
                JOIN jsonb_each(feed.normalize_image(%2$L, last.image)) AS o ON o.key = n.key
                WHERE b.before ? n.key AND last.image ? n.key AND n.value IS DISTINCT FROM o.value
            ) AS d ON true
            CROSS JOIN LATERAL (
                -- What a row of the log says twice.
                SELECT array_remove(ARRAY[
                    CASE WHEN (h.old IS NOT NULL, h.new IS NOT NULL) <> (h.op <> 'insert', h.op <> 'delete')
                              OR h.delta IS NOT NULL AND h.op NOT IN ('update', 'enter', 'leave') THEN 'op' END,
                    -- The two images of a repair were made at different times.
                    CASE WHEN h.origin IS DISTINCT FROM 'repair' AND ((h.delta IS DISTINCT FROM 0 OR h.op <> 'leave') AND h.old || h.new <> h.new
                                                                      OR (h.delta IS DISTINCT FROM 0 OR h.op = 'leave') AND h.new || h.old <> h.old)
                              OR p.incomplete AND p.follows THEN 'images' END,
                    CASE WHEN h.seq > coalesce($9, 0) AND (%6$s OR %7$s) THEN 'key' END,
                    CASE WHEN h.seq > coalesce(greatest($9, $16), 0) AND whole.image ? $10 AND whole.image ->> $10 IS DISTINCT FROM h.board THEN 'board' END,
                    CASE WHEN whole.image IS NOT NULL AND feed.version_number(coalesce(a.after, b.before)) IS DISTINCT FROM h.version THEN 'version' END], NULL) AS columns
                FROM (SELECT CASE WHEN h.op IN ('leave', 'delete') THEN b.before ELSE a.after END AS image) AS whole
            ) AS w
        )
        SELECT j.finding, j.key, j.seq, j.version, j.found, j.columns, NULL::text, NULL::bigint
        FROM judged AS j WHERE j.finding IS NOT NULL
        UNION ALL
        SELECT 'hole', c.key, c.seq, c.before_version, c.version, c.differing, NULL, NULL FROM checked AS c WHERE c.hole
        UNION ALL
        SELECT 'damaged', c.key, c.seq, c.version, NULL, c.wrong, NULL, NULL FROM checked AS c WHERE c.wrong <> '{}'
        UNION ALL
        SELECT NULL, NULL, NULL, NULL, NULL, NULL, $2, count(*) FROM history
    $query$, parts.relation, target, parts.row_by_key,
             format(other_key, format(key_of, parts.key, 'i.before', parts.key[1]), 'i.before'),
             format(other_key, format(key_of, parts.key, 'i.after', parts.key[1]), 'i.after'),
             format(other_key, format(key_of, parts.key, 'b.before', parts.key[1]), 'b.before'),
             format(other_key, format(key_of, parts.key, 'a.after', parts.key[1]), 'a.after'))
    USING after, last, emptied, parts.seq, coalesce(starts, '{}'), floor, parts.was_empty AND floor = 0,
          -- After a truncate, the first change of a row inserts it.
          ARRAY(SELECT l.op = 'truncate' FROM unnest(starts) WITH ORDINALITY AS s(seq, place) JOIN feed.log AS l ON l.seq = s.seq ORDER BY s.place),
          reloaded, parts.board, parts.key, redefined.names, redefined.after, redefined.upto, redefined.key_upto, redefined.board_upto;
END
$$;
COMMENT ON FUNCTION feed.verify_log(regclass, text, integer) IS
    'Differences between the log and an attached table. gone: the table lacks the row; back: the row exists although it was logged as deleted; changed: columns differ; hole: something between this change and the one before it was not logged, or is not in the log any more; damaged: the row of the log contradicts itself in these columns. The last row reports how far the batch got.';
