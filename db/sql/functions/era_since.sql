-- The era is read before its first transaction, and feed.turn() sets them in the opposite order: whatever happens in between, what is
-- returned is no later than it may be.
CREATE FUNCTION feed.era_since(first xid8) RETURNS bigint
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
AS $$
DECLARE
    era bigint := pg_catalog.pg_sequence_last_value('feed.era');
BEGIN
    IF first::pg_catalog.text::pg_catalog.int8
       OPERATOR(pg_catalog.>=) pg_catalog.pg_sequence_last_value('feed.era_xid') THEN
        RETURN era;
    END IF;
    RETURN (SELECT i.first_era FROM feed.identity AS i);
END
$$;
COMMENT ON FUNCTION feed.era_since(xid8) IS
    'The earliest era in which a transaction can have written, if its id is not below this one.';
