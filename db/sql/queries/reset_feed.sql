SELECT feed.reset_feed(%(reason)s)
