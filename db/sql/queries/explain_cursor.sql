SELECT * FROM feed.explain_cursor(%(cursor)s)
