-- The log has no index on its times: every write would pay for it. Numbers are drawn as the clock goes, but for microseconds between
-- writers at once, so a time is found by halving. Where the clock was set back, a part of what it went through twice is left out.
CREATE FUNCTION feed.seq_since(moment timestamptz) RETURNS bigint
LANGUAGE plpgsql STABLE
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
    'The number from which on changes were written after a time, quickly found: WHERE seq >= feed.seq_since(''yesterday 10:00'') AND seq < feed.seq_since(''yesterday 10:30'').';
