-- What almost every read pass needs: the few new rows, for all boards, without aggregation. Each connection that uses it
-- prepares it. The caller sorts the rows, and runs changes_since.sql instead if there are too many. Arguments: xmax and xip
-- of the cursor, and the maximum number of rows.
PREPARE changes_since (text, text[], int) AS
SELECT i.feed_id, i.floor_xid::text::bigint AS floor_xid, pg_current_snapshot()::text AS snapshot,
       u.seq, u.xid::text::bigint AS xid, u.at, u.relation, u.op, u.key, u.board, u.version, u.actor, u.origin, u.traceparent,
       -- feed.changes(), inlined: a call costs a third more.
       CASE WHEN u.op = 'update' THEN (SELECT coalesce(jsonb_object_agg(f.key, f.value), '{}') FROM jsonb_each(u.new) AS f
                                       WHERE f.value::text IS DISTINCT FROM (u.old -> f.key)::text)::text
            WHEN u.op IN ('insert', 'enter') THEN u.new::text END AS body,
       CASE WHEN u.op = 'update' THEN u.old ->> 'phase' END AS from_phase,
       CASE WHEN u.op = 'update' THEN u.new ->> 'phase' END AS to_phase,
       CASE WHEN u.relation = 'board_members' THEN coalesce(u.new, u.old) ->> 'user_id' END AS member,
       CASE WHEN u.relation = 'board_members' AND u.op IN ('insert', 'update', 'enter') THEN u.new ->> 'role' END AS role,
       1 AS size, u.notified
FROM feed.identity AS i
LEFT JOIN feed.changes_since($1::xid8, $2::xid8[]) AS u ON true
LIMIT $3
