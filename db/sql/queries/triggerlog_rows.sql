-- The newest matching rows in a range of the log, without their images; only the named ones if any are named.
SELECT t.seq, to_jsonb(entry)::text AS body
FROM feed.trigger_log AS t
CROSS JOIN LATERAL (
    SELECT t.seq, t.at, left(t.actor, 200) AS actor, t.source, t.op, t.relation, t.key, t.board, left(t.title, 200) AS title, left(t.changes, 2000) AS changes,
           t.version, t.xid, t.step, left(t.origin, 200) AS origin, t.application, t.client_addr, t.db_user, t.pid, t.notified
) AS entry
WHERE t.seq >= %(low)s AND t.seq < %(before)s
  AND (%(named)s::bigint[] IS NULL OR t.seq = ANY (%(named)s::bigint[]))
  AND (%(table)s::text IS NULL OR t.relation = %(table)s)
  AND (%(key)s::text IS NULL OR t.key = %(key)s)
  AND (%(board)s::text IS NULL OR t.board = %(board)s)
  AND (%(actor)s::text IS NULL OR t.actor = %(actor)s)
  AND (%(op)s::text IS NULL OR t.op = %(op)s)
  AND (%(origin)s::text IS NULL OR t.origin = %(origin)s)
  AND (%(xid)s::text IS NULL OR t.xid = %(xid)s::text::xid8)
  AND (%(text)s::text IS NULL
       OR concat_ws(' ', t.key, t.actor, t.origin, t.application, t.old::text, t.new::text) ILIKE %(text)s)
  AND (%(source)s::text IS NULL OR t.source = %(source)s)
ORDER BY t.seq DESC
LIMIT %(limit)s
