"""The live feed: cursors, subscriptions and the streams that carry committed changes to browsers."""
