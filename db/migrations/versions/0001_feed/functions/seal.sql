-- Seals the next rows of the log. A row can be sealed once every transaction up to its own has ended: then no row can come before it
-- any more, and none is ever altered. So the rows are taken in the order of xid and seq, up to the oldest transaction in progress.
-- Writers neither wait for this nor pay for it.
--
-- The partitions are sealed one after the other. A partition is complete when writing has switched to a later one and each transaction
-- that may have written to it has ended. After that, its rows are not compared with transactions in progress: they may have the
-- transaction IDs of another cluster.
--
-- A call seals at most size rows, or 4 MB. Transactions are not divided, unless one exceeds this by itself.
CREATE FUNCTION feed.seal(size integer DEFAULT 2000) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, feed, pg_temp
SET enable_seqscan = off
-- Compiling the statements would take longer than running them.
SET jit = off
AS $$
DECLARE
    everything CONSTANT bigint := 9223372036854775807;
    budget CONSTANT bigint := 4194304;
    last feed.seals;
    next feed.seals;
    after_xid xid8;
    after_seq bigint;
    part_start bigint;
    complete boolean;
    horizon xid8;
    first xid8;
    beyond xid8;
BEGIN
    IF NOT EXISTS (SELECT FROM feed.flags AS f WHERE f.flag = 'seal') THEN
        RETURN false;
    END IF;
    -- One session at a time. No partition is started or dropped meanwhile.
    PERFORM FROM feed.maintenance FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    SELECT * INTO last FROM feed.seals ORDER BY number DESC LIMIT 1;
    next.number := coalesce(last.number, 0) + 1;
    next.partition_number := coalesce(last.partition_number,
        (SELECT min(substring(l.partition::text FROM '(\d+)$')::bigint) FROM feed.log_partitions() AS l), current_partition());
    after_xid := coalesce(last.xid, '0');
    after_seq := CASE WHEN last.number IS NULL THEN -everything ELSE coalesce(last.part_seq, everything) END;

    IF last.part_seq IS NOT NULL THEN
        next.xid := last.xid;
        next.part_end := last.part_end;
        part_start := last.part_seq;
    END IF;
    WHILE next.xid IS NULL LOOP
        complete := next.partition_number < current_partition()
                    AND pg_snapshot_xmin(pg_current_snapshot())::text::bigint >= pg_sequence_last_value('feed.partition_xid');
        horizon := CASE WHEN complete THEN '18446744073709551615'
                        WHEN next.partition_number >= (SELECT i.first_partition FROM feed.identity AS i) THEN pg_snapshot_xmin(pg_current_snapshot())
                        ELSE '0' END;
        WITH ahead AS (
            SELECT l.xid, row_number() OVER w > size OR sum(l.bytes) OVER w > budget AS over
            FROM (SELECT n.xid, 500 + coalesce(pg_column_size(n.old), 0) + coalesce(pg_column_size(n.new), 0) AS bytes FROM feed.log AS n
                  WHERE n.partition_number = next.partition_number AND n.xid > after_xid AND n.xid < horizon ORDER BY n.xid LIMIT size + 1) AS l
            WINDOW w AS (ORDER BY l.xid ROWS UNBOUNDED PRECEDING)
        ), ends AS (
            SELECT min(a.xid) AS first, min(a.xid) FILTER (WHERE a.over) AS beyond FROM ahead AS a
        )
        SELECT e.first, e.beyond, (SELECT max(a.xid) FROM ahead AS a WHERE e.beyond IS NULL OR a.xid < e.beyond)
        INTO first, beyond, next.xid FROM ends AS e;
        IF first = beyond THEN
            next.xid := first;
            SELECT min(l.seq) - 1, max(l.seq) INTO part_start, next.part_end
            FROM feed.log AS l WHERE l.partition_number = next.partition_number AND l.xid = first;
        ELSIF first IS NULL AND complete THEN
            next.partition_number := next.partition_number + 1;
            after_xid := '0';
            after_seq := -everything;
        ELSIF first IS NULL THEN
            RETURN false;
        END IF;
    END LOOP;

    IF next.part_end IS NOT NULL THEN
        SELECT max(l.seq) INTO next.part_seq
        FROM (SELECT n.seq, row_number() OVER w > 1 AND sum(n.bytes) OVER w > budget AS over
              FROM (SELECT p.seq, 500 + coalesce(pg_column_size(p.old), 0) + coalesce(pg_column_size(p.new), 0) AS bytes FROM feed.log AS p
                    WHERE p.partition_number = next.partition_number AND p.seq > part_start AND p.seq <= next.part_end AND p.xid::text = next.xid::text
                    ORDER BY p.seq LIMIT size) AS n
              WINDOW w AS (ORDER BY n.seq)) AS l
        WHERE NOT l.over;
        IF next.part_seq < next.part_end IS NOT TRUE THEN
            next.part_seq := NULL;
            next.part_end := NULL;
        END IF;
    END IF;
    SELECT h.changes, h.first_seq, h.last_seq, h.hash INTO next.changes, next.first_seq, next.last_seq, next.rows_hash
    FROM feed.hash_changes(next.partition_number, after_xid, after_seq, next.xid, coalesce(next.part_seq, everything)) AS h;
    next.sealed_at := clock_timestamp();
    next.hash := feed.seal_hash(next, last.hash);
    INSERT INTO feed.seals SELECT next.*;
    RETURN beyond IS NOT NULL OR last.part_seq IS NOT NULL OR next.part_seq IS NOT NULL OR complete IS TRUE;
END
$$;
COMMENT ON FUNCTION feed.seal(integer) IS
    'Seals the next rows of feed.log, if this is switched on (boardcast flags seal on): writes a row of feed.seals. Returns whether there are more to seal now; false, too, if another session does it.';
