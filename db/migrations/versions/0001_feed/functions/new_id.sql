CREATE FUNCTION feed.new_id() RETURNS text
LANGUAGE sql VOLATILE
RETURN left(replace(gen_random_uuid()::text, '-', ''), 10);
COMMENT ON FUNCTION feed.new_id() IS 'A new feed ID: ten hexadecimal digits.';
