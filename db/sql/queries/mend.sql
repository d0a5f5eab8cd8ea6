SELECT m FROM feed.mend() AS m
