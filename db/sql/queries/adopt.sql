SELECT a FROM feed.adopt(%(table)s, %(columns)s, %(users)s, %(user_columns)s) AS a
