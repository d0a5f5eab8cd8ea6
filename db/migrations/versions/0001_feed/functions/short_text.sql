-- An index entry holds 2,704 bytes, and the primary key of feed.stage_changes includes four texts: a stage or an ID of an application
-- may be of any length, and must not keep all others from being copied.
CREATE FUNCTION feed.short_text(text_value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN octet_length(text_value) > 600 THEN 'md5:' || md5(text_value) ELSE text_value END;
COMMENT ON FUNCTION feed.short_text(text) IS 'A text as feed.stage_changes has it: one of more than 600 bytes is replaced by its MD5 hash.';
