SELECT topic, status, found, fix FROM feed.health ORDER BY nr
