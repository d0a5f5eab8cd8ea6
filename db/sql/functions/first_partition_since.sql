-- feed.partition_number is read before feed.partition_xid, and feed.rotate_partition() sets them in the opposite order. So
-- whatever happens between the two reads, the result is never too late a partition.
CREATE FUNCTION feed.first_partition_since(first xid8) RETURNS bigint
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
AS $$
DECLARE
    partition_number bigint := pg_catalog.pg_sequence_last_value('feed.partition_number');
BEGIN
    IF first::pg_catalog.text::pg_catalog.int8
       OPERATOR(pg_catalog.>=) pg_catalog.pg_sequence_last_value('feed.partition_xid') THEN
        RETURN partition_number;
    END IF;
    RETURN (SELECT i.first_partition FROM feed.identity AS i);
END
$$;
COMMENT ON FUNCTION feed.first_partition_since(xid8) IS
    'Earliest partition that transactions with this ID or a later one can have written to.';
