-- Compared as JSON, in which the numbers are one range: a text or any other type that an application gives its version_number must
-- not make a write fail.
CREATE FUNCTION feed.version_number(image jsonb) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN image -> 'version_number' >= '0' AND image -> 'version_number' <= '2147483647' THEN (image -> 'version_number')::integer END;
COMMENT ON FUNCTION feed.version_number(jsonb) IS
    'version_number of a row image; null if it has none, or one that is not a number from 0 to 2147483647.';
