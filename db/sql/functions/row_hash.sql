-- The contribution of one row to the checkpoint of a board, 0 to 2^32-1: the CRC-32 of the ID in UTF-8, plus the version
-- times 2654435761, passed through the MurmurHash3 finalizer. feed/integrity/board_hash.py and web/client/src/hash.ts
-- implement the same hash; tests/vectors/checkpoint.json verifies that they agree. The CRC processes four bits at a time. A
-- product of two 32-bit numbers is computed in two parts, because it does not fit into a bigint.
CREATE FUNCTION feed.row_hash(id text, version integer) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    steps CONSTANT bigint[] := '{0,498536548,997073096,651767980,1994146192,1802195444,1303535960,1342533948,3988292384,4027552580,3604390888,3412177804,2607071920,2262029012,2685067896,3183342108}';
    low CONSTANT bigint := 4294967295;
    bytes bytea := convert_to(coalesce(id, ''), 'UTF8');
    h bigint := low;
BEGIN
    FOR i IN 0..length(bytes) - 1 LOOP
        h := h # get_byte(bytes, i);
        h := (h >> 4) # steps[(h & 15) + 1];
        h := (h >> 4) # steps[(h & 15) + 1];
    END LOOP;
    h := ((h # low) + coalesce(version, 0) * 2654435761) & low;
    h := h # (h >> 16);
    h := ((((h >> 16) * 2246822507 & 65535) << 16) + (h & 65535) * 2246822507) & low;
    h := h # (h >> 13);
    h := ((((h >> 16) * 3266489909 & 65535) << 16) + (h & 65535) * 3266489909) & low;
    RETURN h # (h >> 16);
END
$$;
COMMENT ON FUNCTION feed.row_hash(text, integer) IS
    'The contribution of one row to the hash of a checkpoint (docs/protocol.md). The hash of a board is the sum over its rows, modulo 2^32.';
