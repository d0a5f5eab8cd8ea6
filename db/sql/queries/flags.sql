SELECT flag, scope, user_id, share, value FROM feed.flags
