-- feed/delivery/flags.py implements the same rule in memory.
CREATE FUNCTION feed.realtime(user_id text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN EXISTS (SELECT FROM feed.flags AS f WHERE f.flag = 'capture') THEN 'off' ELSE coalesce((
        SELECT f.value FROM feed.flags AS f
        WHERE f.flag = 'realtime'
          AND CASE f.scope WHEN 'user' THEN f.user_id = $1 WHEN 'percentage' THEN feed.rollout_bucket($1) < f.percentage ELSE true END
        ORDER BY array_position('{user,percentage,everybody}', f.scope) LIMIT 1), 'websocket') END
$$;
COMMENT ON FUNCTION feed.realtime(text) IS
    'The best transport that a user is offered: websocket, sse, poll or off. Null: an unknown user, to whom only settings for everybody apply.';
