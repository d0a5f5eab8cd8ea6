SELECT topic, status, found, cure FROM feed.health ORDER BY nr
