-- A user's bucket never changes, so raising a rollout percentage removes nobody. feed/delivery/flags.py implements the same
-- hash.
CREATE FUNCTION feed.rollout_bucket(user_id text) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (('x' || left(encode(sha256(convert_to(user_id, 'UTF8')), 'hex'), 8))::bit(32)::bigint % 100)::integer;
COMMENT ON FUNCTION feed.rollout_bucket(text) IS
    'Bucket of a user for rollout percentages, 0 to 99, from a hash of the user ID. A rollout percentage of 10 applies to buckets below 10.';
