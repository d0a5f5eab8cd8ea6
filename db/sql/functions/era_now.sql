-- The sequence's value, as a function that a plan may ask once, at its start, to leave partitions out.
CREATE FUNCTION feed.era_now() RETURNS bigint
LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $$
BEGIN
    RETURN pg_catalog.pg_sequence_last_value('feed.era');
END
$$;
COMMENT ON FUNCTION feed.era_now() IS 'The era that is written to; no row that can be seen is of a later one.';
