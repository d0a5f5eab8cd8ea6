-- What keeps the log in order, a step a call, so that no lock is held for long; null when there is nothing to do, or somebody else
-- does it. Any service may call it: it does only what feed.keeper says.
CREATE FUNCTION feed.keep() RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, feed, pg_temp
SET lock_timeout = '200ms'
AS $$
DECLARE
    plan feed.keeper;
    ahead text := format('feed.log_%s', era_now() + 1);
    dropped record;
BEGIN
    SELECT * INTO plan FROM feed.keeper FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    DELETE FROM feed.gap_reports WHERE at < clock_timestamp() - plan.retention;
    IF to_regclass(ahead) IS NULL THEN
        BEGIN
            PERFORM feed.make_partition(era_now() + 1);
        EXCEPTION WHEN lock_not_available THEN
            RETURN NULL;
        END;
        RETURN format('made %s', ahead);
    END IF;
    -- Some ten partitions hold what is kept. An era in which nothing was written goes on.
    IF clock_timestamp() - plan.turned > plan.retention / 9
       AND EXISTS (SELECT FROM feed.log AS l WHERE l.era = era_now()) THEN
        RETURN format('began feed.log_%s', feed.turn());
    END IF;
    SELECT * INTO dropped FROM feed.prune(clock_timestamp() - plan.retention);
    RETURN format('dropped %s with %s rows', dropped.partition, dropped.forgotten)
    WHERE dropped.partition IS NOT NULL;
END
$$;
COMMENT ON FUNCTION feed.keep() IS
    'Makes the next partition of feed.log ahead, begins it when its time has come, drops what is older than feed.keeper.retention. One step a call; what it did, or null.';
