SELECT partition, forgotten FROM feed.prune(%(before)s)
