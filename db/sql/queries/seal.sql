SELECT feed.seal()
