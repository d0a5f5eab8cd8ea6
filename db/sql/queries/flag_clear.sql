DELETE FROM feed.flags
WHERE flag = 'realtime' AND (%(scope)s::text IS NULL OR scope = %(scope)s AND user_id = %(user_id)s)
RETURNING scope
