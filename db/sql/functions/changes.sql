-- The columns of `after` that differ from `before`, with their new values. What is compared is how they are written: to jsonb 1.0 and
-- 1.00 are equal, to those who are told of an amount they are not.
CREATE FUNCTION feed.changes(before jsonb, after jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (SELECT coalesce(jsonb_object_agg(f.key, f.value), '{}')
        FROM jsonb_each(after) AS f
        WHERE f.value::text IS DISTINCT FROM (before -> f.key)::text);
COMMENT ON FUNCTION feed.changes(jsonb, jsonb) IS
    'What changed between two images of a row: the differing columns with their new values.';
