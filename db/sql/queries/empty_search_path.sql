-- For this transaction: names are then written with their schemas, whatever the session's search_path.
SELECT set_config('search_path', '', true)
