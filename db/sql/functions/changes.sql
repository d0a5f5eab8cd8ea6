-- The columns of `after` that differ from `before`, with their new values.
CREATE FUNCTION feed.changes(before jsonb, after jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (SELECT coalesce(jsonb_object_agg(f.key, f.value), '{}')
        FROM jsonb_each(after) AS f
        WHERE f.value IS DISTINCT FROM before -> f.key);
COMMENT ON FUNCTION feed.changes(jsonb, jsonb) IS
    'What changed between two images of a row: the differing columns with their new values.';
