SELECT feed.set_seal(%(on)s)
