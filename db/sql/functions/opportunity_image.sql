-- Clients identify a row by the texts that the log has for its key and its board, and need a version.
CREATE FUNCTION feed.opportunity_image(image jsonb, key text, board text, version bigint) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN jsonb_typeof(image -> 'id') = 'string' AND jsonb_typeof(image -> 'board_id') = 'string' AND image ? 'version_number' THEN image
            ELSE jsonb_build_object('version_number', version) || image || jsonb_build_object('id', key, 'board_id', board) END;
COMMENT ON FUNCTION feed.opportunity_image(jsonb, text, text, bigint) IS
    'An image from the log as clients get it: with id and board_id as text, and with a version, whatever columns the table has.';
