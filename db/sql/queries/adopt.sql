SELECT a FROM feed.adopt_table(%(table)s, %(columns)s, %(users)s, %(user_columns)s) AS a
