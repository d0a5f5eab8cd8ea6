SELECT o FROM feed.adoption_obstacles(%(table)s, %(columns)s, %(users)s, %(user_columns)s) AS o
