-- Values are compared in their text form unless they are strings: jsonb treats 1.0 and 1.00 as equal, but clients that display an
-- amount need the difference.
CREATE FUNCTION feed.changed_columns(before jsonb, after jsonb) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (SELECT coalesce(array_agg(k.name), '{}')
        FROM (SELECT jsonb_object_keys(before) AS name UNION SELECT jsonb_object_keys(after)) AS k
        WHERE CASE WHEN jsonb_typeof(before -> k.name) = 'string' THEN (before -> k.name) IS DISTINCT FROM (after -> k.name)
                   ELSE (before -> k.name)::text IS DISTINCT FROM (after -> k.name)::text END);
COMMENT ON FUNCTION feed.changed_columns(jsonb, jsonb) IS 'Names of the columns that differ between two images of a row.';
