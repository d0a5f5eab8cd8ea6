SELECT u.id, u.name FROM feed.user_names(ARRAY[%(user)s::text]) AS u
