SELECT feed.reset_feed('the schema was repaired')
