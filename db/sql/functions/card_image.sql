-- The log has the application's own names, and clients get those of the original design. This is where one becomes the other: every
-- read of an image for a client goes through it. A stage or an owner may be a number, such as a foreign key. Clients get its text.
CREATE FUNCTION feed.card_image(image jsonb, names jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN names IS NULL OR image IS NULL THEN image ELSE (
    SELECT coalesce(jsonb_object_agg(f.name, CASE WHEN f.name IN ('phase', 'owner_id') AND jsonb_typeof(e.value) NOT IN ('string', 'null')
                                                  THEN to_jsonb(e.value #>> '{}') ELSE e.value END ORDER BY names ? e.key), '{}')
    FROM jsonb_each(image) AS e
    CROSS JOIN LATERAL (SELECT CASE WHEN names ? e.key THEN names ->> e.key ELSE e.key END AS name) AS f
    WHERE f.name IS NOT NULL) END;
COMMENT ON FUNCTION feed.card_image(jsonb, jsonb) IS
    'An image of an opportunity, or a part of one, with the names that clients know; names is that of feed.card_names, or null if nothing has another name.';
