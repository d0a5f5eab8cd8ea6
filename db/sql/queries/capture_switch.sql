SELECT t::text FROM feed.set_capture(%(on)s) AS t
