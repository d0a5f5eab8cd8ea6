-- feed/delivery/flags.py says the same, from memory.
CREATE FUNCTION feed.realtime(user_id text) RETURNS text
LANGUAGE sql STABLE
AS $$
    SELECT CASE WHEN EXISTS (SELECT FROM feed.flags AS f WHERE f.flag = 'capture') THEN 'off' ELSE coalesce((
        SELECT f.value FROM feed.flags AS f
        WHERE f.flag = 'realtime'
          AND CASE f.scope WHEN 'user' THEN f.user_id = $1 WHEN 'share' THEN feed.user_place($1) < f.share ELSE true END
        ORDER BY array_position('{user,share,everybody}', f.scope) LIMIT 1), 'websocket') END
$$;
COMMENT ON FUNCTION feed.realtime(text) IS
    'The best way to get what is new that a user is offered: websocket, sse, poll or off. Null: somebody of whom nothing is known.';
