-- Where a user stands in every share, 0 to 99: the same for ever, so a share that is raised takes nobody out. feed/delivery/flags.py says the same.
CREATE FUNCTION feed.user_place(user_id text) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT (('x' || left(encode(sha256(convert_to(user_id, 'UTF8')), 'hex'), 8))::bit(32)::bigint % 100)::integer
$$;
COMMENT ON FUNCTION feed.user_place(text) IS
    'Where a user stands in every share, 0 to 99, made from his id: a share of 10 are those below 10.';
