SELECT feed.keep()
