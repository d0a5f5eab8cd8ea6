-- In an image that is whole, the columns of the other one are those that changed.
CREATE FUNCTION feed.compact_changes(old jsonb, new jsonb, delta integer) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN delta > 0 THEN new
            ELSE (SELECT coalesce(jsonb_object_agg(f.key, new -> f.key), '{}') FROM (SELECT jsonb_object_keys(old) AS key) AS f) END;
COMMENT ON FUNCTION feed.compact_changes(jsonb, jsonb, integer) IS
    'The changed columns with their new values, for an update whose feed.log.delta is set.';
