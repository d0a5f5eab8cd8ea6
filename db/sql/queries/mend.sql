SELECT m FROM feed.mend_structure() AS m
