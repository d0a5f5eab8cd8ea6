-- Compares a batch of seals with the rows that they cover and with one another. The last row, which has no finding, returns how far the
-- batch got (upto; null at the end), the newest seal of the batch, and how many seals cover rows that were pruned.
--
-- The last seal of a partition covers whatever follows in that partition once a later one is sealed, and the first seal of a partition
-- whatever is in the partitions skipped before it: rows that were inserted there are found, too. Partitions are dropped whole and the
-- oldest first, so the rows of a seal are pruned if none is left and no partition as old exists.
CREATE FUNCTION feed.verify_seals(after bigint DEFAULT 0, seals integer DEFAULT 100)
RETURNS TABLE (finding text, number bigint, first_seq bigint, last_seq bigint, sealed bigint, found bigint, columns text[],
               hash text, pruned bigint, upto bigint)
-- Each statement takes a snapshot of its own, after the lock.
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, feed, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    everything CONSTANT bigint := 9223372036854775807;
    oldest bigint;
    each record;
    newest feed.seals;
    actual_changes bigint;
    actual_hash text;
    total bigint := 0;
    gone bigint := 0;
    checked bigint := 0;
    wrong text[];
BEGIN
    -- No partition is dropped meanwhile.
    LOCK TABLE ONLY feed.log IN ACCESS SHARE MODE;
    oldest := (SELECT min(substring(l.partition::text FROM '(\d+)$')::bigint) FROM feed.log_partitions() AS l);
    FOR each IN
        SELECT c.* FROM (
            SELECT s AS seal, s.number, lag(s.number) OVER w AS last_number, lag(s.hash) OVER w AS last_hash, lag(s.partition_number) OVER w AS last_partition,
                   lag(s.xid) OVER w AS last_xid, lag(s.part_seq) OVER w AS last_part, lead(s.partition_number) OVER w AS next_partition
            FROM feed.seals AS s WHERE s.number >= after WINDOW w AS (ORDER BY s.number) ORDER BY s.number LIMIT seals + 2) AS c
        WHERE c.number > after ORDER BY c.number LIMIT seals
    LOOP
        checked := checked + 1;
        newest := each.seal;
        wrong := '{}';
        actual_changes := NULL;
        IF each.number <> coalesce(each.last_number, 0) + 1 THEN
            -- Where its rows begin is not known.
            wrong := '{number}';
        ELSE
            IF newest.hash <> feed.seal_hash(newest, each.last_hash) THEN
                wrong := wrong || 'hash'::text;
            END IF;
            SELECT h.changes, h.hash INTO actual_changes, actual_hash
            FROM feed.hash_changes(newest.partition_number,
                CASE WHEN each.last_partition = newest.partition_number THEN each.last_xid ELSE '0' END,
                CASE WHEN each.last_partition = newest.partition_number THEN coalesce(each.last_part, everything) ELSE -everything END,
                CASE WHEN each.next_partition > newest.partition_number THEN '18446744073709551615' ELSE newest.xid END,
                CASE WHEN each.next_partition > newest.partition_number THEN everything ELSE coalesce(newest.part_seq, everything) END) AS h;
            total := total + actual_changes;
            IF actual_changes = 0 AND newest.partition_number < oldest THEN
                gone := gone + 1;
            ELSIF actual_changes <> newest.changes OR actual_hash <> newest.rows_hash THEN
                wrong := wrong || 'rows'::text;
            ELSIF EXISTS (SELECT FROM feed.log AS l
                          WHERE l.partition_number > each.last_partition AND l.partition_number < newest.partition_number) THEN
                wrong := wrong || 'rows'::text;
            END IF;
        END IF;
        IF wrong <> '{}' THEN
            RETURN QUERY SELECT 'broken', newest.number, newest.first_seq, newest.last_seq, newest.changes, actual_changes, wrong, NULL::text, NULL::bigint, NULL::bigint;
        END IF;
    END LOOP;
    RETURN QUERY SELECT NULL::text, newest.number, NULL::bigint, NULL::bigint, checked, total, NULL::text[], newest.hash, gone,
                        CASE WHEN checked = seals THEN newest.number END;
END
$$;
COMMENT ON FUNCTION feed.verify_seals(bigint, integer) IS
    'Seals that are broken: rows: the rows of the log are not those that were sealed; hash: the seal or the one before it was altered; number: seals before it were removed. The last row reports how far the batch got.';
