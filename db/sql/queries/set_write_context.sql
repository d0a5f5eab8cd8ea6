-- Context of a write transaction of the API. lock_timeout keeps a locked row from blocking the connection pool as well.
SELECT set_config('feed.actor', %(actor)s, true),
       set_config('feed.origin', %(origin)s, true),
       set_config('feed.traceparent', %(traceparent)s, true),
       set_config('feed.parents', %(parents)s, true),
       set_config('lock_timeout', '5s', true)
