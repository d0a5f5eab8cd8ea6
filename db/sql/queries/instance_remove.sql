DELETE FROM feed.instances WHERE instance = %(instance)s
