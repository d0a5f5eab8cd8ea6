SELECT coalesce(name, id) FROM users WHERE id = %(user)s
