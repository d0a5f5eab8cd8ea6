-- One row's part of a board's checkpoint, 0 to 2^32-1: the CRC-32 of its id in UTF-8, the version times 2654435761 added, and the
-- finaliser of MurmurHash3 over that. feed/integrity/board_hash.py and feed/client/src/hash.ts say the same; tests/vectors/checkpoint.json
-- holds them together. Four bits of an id at a time; a product of 32 bits by 32 is made of two, as bigint has no room for it.
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
    'One row''s part of a checkpoint''s hash (docs/protocol.md): the sum of those of a board, modulo 2^32, is the hash of the board.';
