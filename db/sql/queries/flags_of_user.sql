SELECT feed.realtime(%(user)s) AS value, feed.rollout_bucket(%(user)s) AS place,
       (feed.users_table() IS NULL OR EXISTS (SELECT FROM feed.user_names(ARRAY[%(user)s::text]))) AS known
