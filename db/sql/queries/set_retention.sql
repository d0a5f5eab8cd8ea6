UPDATE feed.maintenance SET retention = %(age)s
