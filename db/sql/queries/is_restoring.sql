SELECT EXISTS (SELECT FROM feed.adopted AS a WHERE a.restoring IS NOT NULL)
