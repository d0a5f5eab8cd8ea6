SELECT f.flag, f.scope, nullif(f.user_id, '') AS user_id, f.percentage, f.value, f.at, f.set_by
FROM feed.flags AS f
ORDER BY array_position('{capture,notify,realtime,seal}', f.flag), array_position('{everybody,percentage,user}', f.scope), f.user_id
