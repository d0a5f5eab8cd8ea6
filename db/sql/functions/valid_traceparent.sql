CREATE FUNCTION feed.valid_traceparent(traceparent text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN traceparent ~ '^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$' THEN traceparent END;
COMMENT ON FUNCTION feed.valid_traceparent(text) IS 'A traceparent of feed.log; null if it is not a W3C trace context.';
