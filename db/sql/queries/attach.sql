SELECT feed.attach(%(table)s::text::regclass, %(key)s, %(board)s, %(excluded)s)::text
