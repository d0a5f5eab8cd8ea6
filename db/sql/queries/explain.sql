SELECT * FROM feed.explain(%(seq)s)
