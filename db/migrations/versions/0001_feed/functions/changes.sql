-- Values are compared in their text form: jsonb treats 1.0 and 1.00 as equal, but clients that display an amount need the
-- difference.
CREATE FUNCTION feed.changes(before jsonb, after jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (SELECT coalesce(jsonb_object_agg(f.key, f.value), '{}')
        FROM jsonb_each(after) AS f
        WHERE f.value::text IS DISTINCT FROM (before -> f.key)::text);
COMMENT ON FUNCTION feed.changes(jsonb, jsonb) IS 'The columns that differ between two images of a row, with their new values.';
