CREATE FUNCTION feed.image_before(relation text, key text, seq bigint, op text, old jsonb, new jsonb, delta integer) RETURNS jsonb
LANGUAGE sql STABLE
RETURN CASE WHEN delta IS NULL OR op = 'leave' THEN old
            WHEN delta = 0 THEN new || old
            ELSE feed.complete_image(relation, key, seq) || old END;
COMMENT ON FUNCTION feed.image_before(text, text, bigint, text, jsonb, jsonb, integer) IS
    'The whole row before a change, from the columns of feed.log (see feed.log.delta).';
