SELECT feed.set_notify(%(on)s)
