SELECT * FROM feed.verify_log(%(table)s::text::regclass, %(after)s, %(keys)s)
