-- Forgets the log before a time, a partition a call, and remembers how far: a cursor from before it is answered "pruned" and never
-- with silence. Only partitions go that no row of which is as new, by what they hold and not by what was planned. The newest row
-- of all stays, in the era that is written to: it is the anchor of every cursor that is up to date.
--
-- Dropping takes the log for a moment, so it waits for who reads or writes it now; not for long (lock_timeout), since who comes
-- later waits behind it. Nobody writes into an old era any more but one who began his statement in it, and he keeps its lock until
-- he has ended.
CREATE FUNCTION feed.prune(before timestamptz, OUT partition text, OUT forgotten bigint)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, feed, pg_temp
SET lock_timeout = '200ms'
AS $$
DECLARE
    newest feed.log;
    place record;
    last record;
    later boolean;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'what is dropped must be what can be seen then' USING ERRCODE = 'active_sql_transaction',
            HINT = 'Prune in a READ COMMITTED transaction.';
    END IF;
    PERFORM FROM feed.keeper FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        forgotten := 0;
        RETURN;
    END IF;
    SELECT * INTO newest FROM feed.log ORDER BY seq DESC LIMIT 1;
    -- All of the era is old, and more than the one row that is to stay.
    IF newest.at < before AND newest.era = era_now() AND to_regclass(format('feed.log_%s', newest.era + 1)) IS NOT NULL
       AND EXISTS (SELECT FROM feed.log AS l WHERE l.era = newest.era AND l.seq < newest.seq) THEN
        PERFORM feed.turn();
    END IF;
    FOR place IN
        SELECT format('feed.%I', c.relname) AS name, substring(c.relname FROM '^log_([0-9]+)$')::bigint AS era
        FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'feed.log'::regclass
        ORDER BY era NULLS LAST
    LOOP
        CONTINUE WHEN place.era >= era_now();
        -- The newest by number is quick to find, and tells most: all are asked only where it is old.
        EXECUTE format('SELECT seq, at FROM %s ORDER BY seq DESC LIMIT 1', place.name) INTO last;
        CONTINUE WHEN last.at >= before OR (last.seq IS NULL AND place.era IS NULL);
        EXECUTE format('SELECT max(seq) AS seq, max(xid) AS xid, max(at) AS at, count(*) AS rows, pg_current_snapshot() AS snapshot FROM %s',
                       place.name) INTO last;
        CONTINUE WHEN last.at >= before;
        BEGIN
            -- In the order in which readers take them; feed.make_partition() needs the first.
            LOCK TABLE feed.identity, ONLY feed.log IN ACCESS EXCLUSIVE MODE;
            EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', place.name);
        EXCEPTION WHEN lock_not_available THEN
            forgotten := 0;
            RETURN;
        END;
        -- Whoever was in progress then and has committed since has rows here that were not counted, with whatever numbers: so what would be
        -- noted of how far the log is gone might not cover them. The next call counts again. (All of it is not counted again under the lock.)
        EXECUTE format('SELECT EXISTS (SELECT FROM %1$s WHERE xid >= $1 AND era >= $3) OR EXISTS (SELECT FROM %1$s WHERE xid = ANY ($2) AND era >= $3)',
                       place.name)
        INTO later
        USING pg_snapshot_xmax(last.snapshot), ARRAY(SELECT pg_snapshot_xip(last.snapshot)), (SELECT i.first_era FROM feed.identity AS i);
        CONTINUE WHEN later;
        SELECT * INTO newest FROM feed.log ORDER BY seq DESC LIMIT 1;
        EXECUTE format('DROP TABLE %s', place.name);
        IF place.era IS NULL THEN
            CREATE TABLE feed.log_default PARTITION OF feed.log DEFAULT;
            COMMENT ON TABLE feed.log_default IS 'Rows of an era whose partition is missing: nothing, as long as nobody drops one by hand.';
        END IF;
        partition := place.name;
        forgotten := last.rows;
        IF newest.seq = last.seq THEN
            newest.era := era_now();
            INSERT INTO feed.log SELECT newest.*;
            last.seq := last.seq - 1;
            forgotten := forgotten - 1;
        END IF;
        -- Transactions of another cluster say nothing of cursors that are made in this one.
        UPDATE feed.identity
        SET floor_seq = greatest(floor_seq, last.seq),
            floor_xid = CASE WHEN last.xid > floor_xid AND coalesce(place.era >= first_era, true) THEN last.xid ELSE floor_xid END;
        IF to_regclass(format('feed.log_%s', era_now() + 1)) IS NULL THEN
            PERFORM feed.make_partition(era_now() + 1);
        END IF;
        RETURN;
    END LOOP;
END
$$;
COMMENT ON FUNCTION feed.prune(timestamptz) IS
    'Drops the oldest partition of feed.log that holds nothing newer than a time; cursors from before it are reset with the reason "pruned". Returns which, and how many rows: nulls if none is that old, no partition and 0 if the log is in use.';
