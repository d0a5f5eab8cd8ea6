-- Plain SQL, so that the planner inlines it, and a whole image is not copied.
CREATE FUNCTION feed.image_after(relation text, key text, seq bigint, op text, old jsonb, new jsonb, delta integer) RETURNS jsonb
LANGUAGE sql STABLE
RETURN CASE WHEN delta IS NULL THEN new
            WHEN op = 'leave' THEN old || new
            WHEN delta = 0 THEN new
            ELSE feed.complete_image(relation, key, seq) END;
COMMENT ON FUNCTION feed.image_after(text, text, bigint, text, jsonb, jsonb, integer) IS
    'The whole row after a change, from the columns of feed.log (see feed.log.delta).';
