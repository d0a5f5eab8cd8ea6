SELECT m FROM feed.mend_rows(%(size)s) AS m
