-- How many leases a connection has on other places.
SELECT count(*)
FROM feed.user_presence AS p
WHERE p.user_id = %(user)s AND p.connection = %(connection)s AND p.last_activity > now() - interval '30 s'
  AND p.id <> %(connection)s || coalesce(':o:' || %(opportunity)s::text, ':b:' || %(board)s::text)
