-- What a writing transaction of the API says of itself. A row that somebody holds locked must not hold the pool as well.
SELECT set_config('feed.actor', %(actor)s, true),
       set_config('feed.origin', %(origin)s, true),
       set_config('feed.traceparent', %(traceparent)s, true),
       set_config('feed.parents', %(parents)s, true),
       set_config('lock_timeout', '5s', true)
