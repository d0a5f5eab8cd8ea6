SELECT feed.maintain()
