UPDATE feed.keeper SET retention = %(age)s
