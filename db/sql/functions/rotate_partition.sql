-- Switches writing to the next partition. Nobody has to wait, and nothing is locked.
--
-- Readers skip the partitions before the first one that the transactions they look for can have written to. So the first
-- transaction of a partition must have an ID that was assigned after every writer could see the new partition number. A
-- subtransaction that is started here has such an ID. Until it is known, the largest bigint makes readers search all
-- partitions. Sequences keep their values if the transaction is rolled back, which is correct, because other transactions
-- may already have written to the new partition.
CREATE FUNCTION feed.rotate_partition() RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, feed, pg_temp
AS $$
DECLARE
    wide CONSTANT bigint := 4294967296;
    next_number bigint;
    own bigint;
    drawn bigint;
BEGIN
    -- The lock prevents concurrent rotations. The number is read while it is held, so it never goes back.
    PERFORM FROM feed.maintenance FOR UPDATE;
    next_number := pg_sequence_last_value('feed.partition_number') + 1;
    PERFORM setval('feed.partition_xid', 9223372036854775807);
    PERFORM setval('feed.partition_number', next_number);
    own := pg_current_xact_id()::text::bigint;
    BEGIN
        UPDATE feed.maintenance SET rotated_at = clock_timestamp() RETURNING xmin::text::bigint INTO drawn;
    EXCEPTION WHEN raise_exception THEN
        NULL; -- never happens: the handler makes this block a subtransaction
    END;
    -- xmin contains only the lower half of the ID.
    drawn := own - own % wide + drawn + CASE WHEN drawn < own % wide THEN wide ELSE 0 END;
    PERFORM setval('feed.partition_xid', drawn);
    RETURN next_number;
END
$$;
COMMENT ON FUNCTION feed.rotate_partition() IS 'Switches writing to the next partition of feed.log and returns its number.';
