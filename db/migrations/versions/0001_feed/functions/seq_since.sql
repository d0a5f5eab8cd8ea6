-- The log has no index on its times, because every write would pay for it. Sequence numbers follow the clock, except for
-- microseconds between concurrent writers, so a time is found by binary search. If the clock was set back, some of the
-- changes from the repeated period are missed.
CREATE FUNCTION feed.seq_since(moment timestamptz) RETURNS bigint
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    low bigint := (SELECT min(l.seq) FROM feed.log AS l);
    high bigint := (SELECT max(l.seq) + 1 FROM feed.log AS l);
    middle bigint;
    found_seq bigint;
    found_at timestamptz;
BEGIN
    WHILE low < high LOOP
        middle := low + (high - low) / 2;
        SELECT l.seq, l.at INTO found_seq, found_at FROM feed.log AS l WHERE l.seq >= middle ORDER BY l.seq LIMIT 1;
        IF found_at <= moment THEN
            low := found_seq + 1;
        ELSE
            high := middle;
        END IF;
    END LOOP;
    RETURN coalesce(low, 0);
END
$$;
COMMENT ON FUNCTION feed.seq_since(timestamptz) IS
    'First sequence number written after a time, found quickly: WHERE seq >= feed.seq_since(''yesterday 10:00'') AND seq < feed.seq_since(''yesterday 10:30'').';
