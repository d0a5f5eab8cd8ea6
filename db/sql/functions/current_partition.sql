-- The value of the sequence, as a function that the executor can evaluate once, at plan startup, to prune partitions.
CREATE FUNCTION feed.current_partition() RETURNS bigint
LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $$
BEGIN
    RETURN pg_catalog.pg_sequence_last_value('feed.partition_number');
END
$$;
COMMENT ON FUNCTION feed.current_partition() IS 'Number of the partition that is being written. No visible row is in a later one.';
