SELECT flag, scope, user_id, percentage, value FROM feed.flags
