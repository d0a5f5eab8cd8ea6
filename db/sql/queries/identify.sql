SELECT feed.identify()
