INSERT INTO feed.flags AS f (flag, scope, user_id, percentage, value)
VALUES ('realtime', %(scope)s, %(user_id)s, %(percentage)s, %(value)s)
ON CONFLICT (flag, scope, user_id) DO UPDATE
SET percentage = excluded.percentage, value = excluded.value, at = excluded.at, set_by = excluded.set_by
WHERE (f.percentage, f.value) IS DISTINCT FROM (excluded.percentage, excluded.value)
