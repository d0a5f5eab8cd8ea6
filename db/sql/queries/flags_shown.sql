SELECT f.flag, f.scope, nullif(f.user_id, '') AS user_id, f.share, f.value, f.at, f.who
FROM feed.flags AS f
ORDER BY array_position('{capture,bell,realtime}', f.flag), array_position('{everybody,share,user}', f.scope), f.user_id
