SELECT feed.read_stage_changes(%(batch)s::integer, %(waits)s::boolean)
