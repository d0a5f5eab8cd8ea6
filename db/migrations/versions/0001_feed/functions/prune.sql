-- Drops the oldest partition if all its rows are older than a time, one partition per call, and records how far the log was
-- pruned, so that a cursor from before that gets a reset with the reason "pruned" and does not silently miss changes. A
-- partition is judged by its contents and not by when it was planned to end. The newest row of all is kept by moving it to
-- the current partition, because it is the anchor of every cursor that is up to date.
--
-- Dropping a partition locks the whole log for a moment, so it waits for current readers and writers; but not for long
-- (lock_timeout), because later ones queue behind it. Only a writer whose statement started while a partition was current
-- still writes to it after that, and that writer holds a lock on it until it ends.
CREATE FUNCTION feed.prune(before timestamptz, OUT partition text, OUT forgotten bigint)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, feed, pg_temp
SET lock_timeout = '200ms'
AS $$
DECLARE
    newest feed.log;
    candidate record;
    last record;
    keys jsonb; -- the largest ones, by relation
    later boolean;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'feed.prune needs a new snapshot for each statement, so that it sees all rows before it drops a partition' USING ERRCODE = 'active_sql_transaction',
            HINT = 'Call feed.prune in a READ COMMITTED transaction.';
    END IF;
    PERFORM FROM feed.maintenance FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        forgotten := 0;
        RETURN;
    END IF;
    SELECT * INTO newest FROM feed.log ORDER BY seq DESC LIMIT 1;
    -- The whole current partition is old, and it contains more than the one row that is kept.
    IF newest.at < before AND newest.partition_number = current_partition() AND to_regclass(format('feed.log_%s', newest.partition_number + 1)) IS NOT NULL
       AND EXISTS (SELECT FROM feed.log AS l WHERE l.partition_number = newest.partition_number AND l.seq < newest.seq) THEN
        PERFORM feed.rotate_partition();
    END IF;
    FOR candidate IN
        SELECT format('feed.%I', c.relname) AS name, substring(c.relname FROM '^log_([0-9]+)$')::bigint AS partition_number
        FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'feed.log'::regclass
        ORDER BY partition_number NULLS LAST
    LOOP
        CONTINUE WHEN candidate.partition_number >= current_partition();
        -- The row with the highest number is cheap to find and usually decides. All rows are read only if it is old.
        EXECUTE format('SELECT seq, at FROM %s ORDER BY seq DESC LIMIT 1', candidate.name) INTO last;
        CONTINUE WHEN last.at >= before OR (last.seq IS NULL AND candidate.partition_number IS NULL);
        EXECUTE format('SELECT max(seq) AS seq, max(xid) AS xid, max(at) AS at, count(*) AS rows, pg_current_snapshot() AS snapshot FROM %s',
                       candidate.name) INTO last;
        CONTINUE WHEN last.at >= before;
        EXECUTE format($query$
            SELECT jsonb_object_agg(k.relation, jsonb_build_array(k.number, k.uuid))
            FROM (SELECT l.relation, max(l.key::numeric) FILTER (WHERE l.key ~ '^-?[0-9]{1,19}$') AS number,
                         max(l.key COLLATE "C") FILTER (WHERE l.key ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$') AS uuid
                  FROM %s AS l GROUP BY l.relation) AS k
        $query$, candidate.name) INTO keys;
        BEGIN
            -- In the order in which readers take these locks. feed.make_partition() needs the first.
            LOCK TABLE feed.identity, ONLY feed.log IN ACCESS EXCLUSIVE MODE;
            EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', candidate.name);
        EXCEPTION WHEN lock_not_available THEN
            forgotten := 0;
            RETURN;
        END;
        -- A transaction that was in progress then and has committed since may have rows here that were not counted, so the
        -- recorded position might not cover them. The next call counts again. (Counting again under the lock would take too
        -- long.)
        EXECUTE format('SELECT EXISTS (SELECT FROM %1$s WHERE xid >= $1 AND partition_number >= $3) OR EXISTS (SELECT FROM %1$s WHERE xid = ANY ($2) AND partition_number >= $3)',
                       candidate.name)
        INTO later
        USING pg_snapshot_xmax(last.snapshot), ARRAY(SELECT pg_snapshot_xip(last.snapshot)), (SELECT i.first_partition FROM feed.identity AS i);
        CONTINUE WHEN later;
        SELECT * INTO newest FROM feed.log ORDER BY seq DESC LIMIT 1;
        EXECUTE format('DROP TABLE %s', candidate.name);
        IF candidate.partition_number IS NULL THEN
            CREATE TABLE feed.log_default PARTITION OF feed.log DEFAULT;
            COMMENT ON TABLE feed.log_default IS 'Rows whose partition is missing. Empty unless a partition was dropped or detached by hand.';
        END IF;
        partition := candidate.name;
        forgotten := last.rows;
        IF newest.seq = last.seq THEN
            newest.partition_number := current_partition();
            INSERT INTO feed.log SELECT newest.*;
            last.seq := last.seq - 1;
            forgotten := forgotten - 1;
        END IF;
        -- Transaction IDs of another cluster do not apply to cursors made in this one.
        UPDATE feed.identity
        SET floor_seq = greatest(floor_seq, last.seq),
            floor_xid = CASE WHEN last.xid > floor_xid AND coalesce(candidate.partition_number >= first_partition, true) THEN last.xid ELSE floor_xid END;
        -- See feed.verify_rows.
        UPDATE feed.attached AS a
        SET newest_key = CASE WHEN a.newest_key ~ '^-?[0-9]+$' THEN greatest(a.newest_key::numeric, (k.newest ->> 0)::numeric)::text
                              ELSE greatest(a.newest_key COLLATE "C", k.newest ->> 1) END
        FROM (SELECT r.relation, keys -> feed.relation_name(r.relation) AS newest FROM feed.attached AS r) AS k
        WHERE k.relation = a.relation AND k.newest IS NOT NULL AND a.newest_key IS NOT NULL;
        IF to_regclass(format('feed.log_%s', current_partition() + 1)) IS NULL THEN
            PERFORM feed.make_partition(current_partition() + 1);
        END IF;
        RETURN;
    END LOOP;
END
$$;
COMMENT ON FUNCTION feed.prune(timestamptz) IS
    'Drops the oldest partition of feed.log if all its rows are older than a time. Cursors from before it get a reset with the reason "pruned". Returns the partition and the number of rows removed: nulls if no partition is that old; no partition and 0 if the log is in use.';
