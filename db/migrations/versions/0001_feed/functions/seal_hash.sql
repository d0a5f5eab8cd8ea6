CREATE FUNCTION feed.seal_hash(seal feed.seals, previous text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    -- A column without a value leaves an empty place.
    SELECT encode(sha256(convert_to(format('%s %s %s %s %s %s %s %s %s %s %s', previous, seal.number, seal.partition_number, seal.xid,
        seal.part_seq, seal.part_end, seal.changes, seal.first_seq, seal.last_seq, extract(epoch FROM seal.sealed_at), seal.rows_hash), 'UTF8')), 'hex')
$$;
COMMENT ON FUNCTION feed.seal_hash(feed.seals, text) IS 'The hash of a seal, given the hash of the previous seal (null for the first seal).';
