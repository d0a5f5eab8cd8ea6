-- How a change of a large row is logged: without the columns that did not change. So what a write adds to the WAL depends on what
-- it changed, and not on the size of the row.
--
--   op             old                   new                   delta
--   update         changed columns       changed columns       1, 2, 3, ... since the last whole image of the row
--   update, enter  changed columns       the whole row         0
--   leave          the whole row         changed columns       0
--
-- The whole row stands in the first change of a row in each partition, so that partitions can be dropped, and again after as
-- many changes as it has 2,000 bytes, but at least 100: so reading a version takes few steps, and whole rows add at most 2,000 bytes
-- to a change on average.
--
-- image_hash is the hash of the row after the change. If the row before a change does not have the hash of the change before
-- (a write bypassed the triggers, for example), the change is logged with the whole row.
CREATE FUNCTION feed.compact_change(target oid, relation text, op text, key text, before jsonb, after jsonb) RETURNS feed.log
LANGUAGE plpgsql STABLE
COST 1 -- or the planner would find the statement in feed.capture worth compiling
SET search_path = pg_catalog, feed, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    changed text[] := feed.changed_columns(before, after);
    previous record;
    result feed.log;
BEGIN
    IF changed = '{}' THEN
        -- The stored rows differ all the same.
        changed := feed.inexact_columns(target);
    END IF;
    SELECT jsonb_object_agg(c.name, before -> c.name) FILTER (WHERE before ? c.name), jsonb_object_agg(c.name, after -> c.name) FILTER (WHERE after ? c.name)
    INTO result.old, result.new FROM unnest(changed) AS c(name);
    result.old := coalesce(result.old, '{}');
    result.new := coalesce(result.new, '{}');
    result.delta := 0;
    IF op = 'leave' THEN
        result.old := before;
        RETURN result;
    ELSIF op = 'update' THEN
        SELECT l.op, l.delta, coalesce(l.image_hash, jsonb_hash_extended(l.new, 0)) AS image_hash, l.partition_number INTO previous
        FROM feed.log AS l WHERE l.relation = relation AND l.key = key ORDER BY l.seq DESC LIMIT 1;
        IF previous.op IN ('insert', 'update', 'enter') AND previous.partition_number = pg_sequence_last_value('feed.partition_number')
           AND previous.image_hash = jsonb_hash_extended(before, 0)
           AND coalesce(previous.delta, 0) < greatest(100, pg_column_size(after) / 2000) THEN
            result.delta := coalesce(previous.delta, 0) + 1;
            result.image_hash := jsonb_hash_extended(after, 0);
            result.image_bytes := nullif(greatest(pg_column_size(result.old), pg_column_size(result.new), 65536), 65536);
            RETURN result;
        END IF;
    END IF;
    result.new := after;
    result.image_bytes := nullif(greatest(pg_column_size(result.old), pg_column_size(result.new), 65536), 65536);
    RETURN result;
END
$$;
COMMENT ON FUNCTION feed.compact_change(oid, text, text, text, jsonb, jsonb) IS
    'The images of a change of a large row, as feed.log has them: without the columns that did not change. Used by feed.capture.';
