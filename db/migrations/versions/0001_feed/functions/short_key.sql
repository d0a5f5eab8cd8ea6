-- A key that would not fit into the index of the log: an index entry holds 2,704 bytes. The primary key of the table may be stored
-- in fewer bytes than its text, for example that of a bytea column.
CREATE FUNCTION feed.short_key(key text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN octet_length(key) > 2000 THEN 'md5:' || md5(key) ELSE key END;
COMMENT ON FUNCTION feed.short_key(text) IS 'A key as feed.log has it: a key of more than 2,000 bytes is replaced by its MD5 hash.';
