SELECT * FROM feed.verify_rows(%(table)s::text::regclass, %(since)s::text::xid8, %(after)s::text[], %(keys)s)
