SELECT u.name FROM feed.user_names(ARRAY[%(user)s::text]) AS u
