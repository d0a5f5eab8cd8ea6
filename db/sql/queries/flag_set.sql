INSERT INTO feed.flags AS f (flag, scope, user_id, share, value)
VALUES ('realtime', %(scope)s, %(user_id)s, %(share)s, %(value)s)
ON CONFLICT (flag, scope, user_id) DO UPDATE
SET share = excluded.share, value = excluded.value, at = excluded.at, who = excluded.who
WHERE (f.share, f.value) IS DISTINCT FROM (excluded.share, excluded.value)
