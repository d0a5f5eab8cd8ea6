-- The hash of the rows of a partition after one position and up to another, in the order of xid and seq. The hash of a row covers
-- the text of all its columns; that of the rows covers their hashes. The text does not depend on settings of the session: times are
-- seconds since 1970, and jsonb has one text. partition_number is not part of it, because it is given.
--
-- The text of a row must never change. A column that is added to the log is appended where it is not null.
--
-- The rows of one transaction are read by seq, because it may have millions of them and several seals; all others by xid. A cast keeps
-- the planner from using the index on xid for the former.
CREATE FUNCTION feed.hash_changes(partition bigint, after_xid xid8, after_seq bigint, upto_xid xid8, upto_seq bigint,
                                  OUT changes bigint, OUT first_seq bigint, OUT last_seq bigint, OUT hash text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, feed, pg_temp
SET enable_seqscan = off
-- Compiling the statement would take longer than running it.
SET jit = off
AS $$
DECLARE
    is_part CONSTANT boolean := after_xid = upto_xid AND upto_seq < 9223372036854775807;
    -- Not UTF-8: a text may have bytes that cannot be converted.
    encoding CONSTANT name := getdatabaseencoding();
BEGIN
    SELECT count(*), min(l.seq), max(l.seq), encode(sha256(coalesce(string_agg(sha256(convert_to(
               format('%L %L %L %L %L %L %L %L %L %L %L %L %L %L %L %L %L %L %L %L %L %L',
                      l.seq, l.xid, extract(epoch FROM l.at), l.relation, l.op, l.key, l.board,
                      -- Hashed by themselves: together, the texts of two large images could exceed what a text can hold.
                      encode(sha256(convert_to(l.old::text, encoding)), 'hex'), encode(sha256(convert_to(l.new::text, encoding)), 'hex'),
                      l.delta, l.image_hash, l.version, l.parents, l.actor, l.origin, l.traceparent, l.db_user, l.application,
                      l.client_addr, l.pid, l.notified, l.image_bytes), encoding)), '' ORDER BY l.xid, l.seq), '')), 'hex')
    INTO changes, first_seq, last_seq, hash
    FROM (SELECT p.* FROM feed.log AS p
          WHERE is_part AND p.partition_number = partition AND p.seq > after_seq AND p.seq <= upto_seq AND p.xid::text = upto_xid::text
          UNION ALL
          SELECT x.* FROM feed.log AS x
          WHERE NOT is_part AND x.partition_number = partition AND (x.xid, x.seq) > (after_xid, after_seq) AND (x.xid, x.seq) <= (upto_xid, upto_seq)) AS l;
END
$$;
COMMENT ON FUNCTION feed.hash_changes(bigint, xid8, bigint, xid8, bigint) IS
    'The number of rows of a partition of feed.log between two positions (xid, seq), and their hash. Used by feed.seal and feed.verify_seals.';
