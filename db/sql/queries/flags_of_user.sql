SELECT feed.realtime(%(user)s) AS value, feed.rollout_bucket(%(user)s) AS place,
       EXISTS (SELECT FROM users WHERE id = %(user)s) AS known
