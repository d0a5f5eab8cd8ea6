-- Ends the era: from now on the log is written to the next partition. Nobody waits, and nothing is locked.
--
-- Readers leave out the eras before the one that the transactions they ask for can have written in. So an era's first transaction
-- must be one whose id was given out after every writer could see the era: that of a subtransaction, which is drawn here and now.
-- Until it is known the largest number says "look everywhere". A sequence keeps its value when the transaction is rolled back,
-- and that is right: rows may have been written by it.
CREATE FUNCTION feed.turn() RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, feed, pg_temp
AS $$
DECLARE
    wide CONSTANT bigint := 4294967296;
    next_era bigint;
    own bigint;
    drawn bigint;
BEGIN
    -- The lock keeps two from turning at once; the era is read under it, so that it never goes back.
    PERFORM FROM feed.keeper FOR UPDATE;
    next_era := pg_sequence_last_value('feed.era') + 1;
    PERFORM setval('feed.era_xid', 9223372036854775807);
    PERFORM setval('feed.era', next_era);
    own := pg_current_xact_id()::text::bigint;
    BEGIN
        UPDATE feed.keeper SET turned = clock_timestamp() RETURNING xmin::text::bigint INTO drawn;
    EXCEPTION WHEN raise_exception THEN
        NULL; -- never: what has a handler is a subtransaction
    END;
    -- xmin has the lower half of an id.
    drawn := own - own % wide + drawn + CASE WHEN drawn < own % wide THEN wide ELSE 0 END;
    PERFORM setval('feed.era_xid', drawn);
    RETURN next_era;
END
$$;
COMMENT ON FUNCTION feed.turn() IS 'Ends the era: the log is written to the next partition of feed.log from now on.';
