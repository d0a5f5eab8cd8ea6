SELECT feed.detach(%(table)s::text::regclass)::text
