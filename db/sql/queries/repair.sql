SELECT feed.repair(%(table)s::text::regclass, %(keys)s::text[])
