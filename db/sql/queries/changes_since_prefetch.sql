-- What almost every read pass needs: the few new rows, for all boards, without aggregation. Each connection that uses it
-- prepares it. The caller sorts the rows, and runs changes_since.sql instead if there are too many, or if a body is missing:
-- rows above 64 KiB (image_bytes) are not read here. A writer may set an actor and an origin of any length. Arguments: xmax and
-- xip of the cursor, and the maximum number of rows.
PREPARE changes_since (text, text[], int) AS
WITH names AS MATERIALIZED (
    SELECT n.names FROM feed.card_names() AS n
)
SELECT i.feed_id, i.floor_xid::text::bigint AS floor_xid, pg_current_snapshot()::text AS snapshot,
       u.seq, u.xid::text::bigint AS xid, u.at, u.relation, u.op, u.key, u.board, u.version, left(u.actor, 200) AS actor, left(u.origin, 200) AS origin, feed.valid_traceparent(u.traceparent) AS traceparent,
       -- feed.changes(), inlined: a call costs a third more.
       CASE WHEN u.image_bytes IS NOT NULL THEN NULL
            WHEN u.op = 'update' AND u.delta IS NOT NULL THEN feed.compact_changes(c.old, c.new, u.delta)::text
            WHEN u.op = 'update' THEN (SELECT coalesce(jsonb_object_agg(f.key, f.value), '{}') FROM jsonb_each(c.new) AS f
                                       WHERE f.value::text IS DISTINCT FROM (c.old -> f.key)::text)::text
            WHEN u.op IN ('insert', 'enter') AND u.relation = 'opportunities' THEN feed.opportunity_image(c.new, u.key, u.board, u.seq)::text
            WHEN u.op IN ('insert', 'enter') THEN c.new::text END AS body,
       CASE WHEN u.op = 'update' AND u.image_bytes IS NULL THEN c.old ->> 'phase' END AS from_phase,
       CASE WHEN u.op = 'update' AND u.image_bytes IS NULL AND (u.delta IS NULL OR c.old ? 'phase') THEN c.new ->> 'phase' END AS to_phase,
       CASE WHEN u.relation = 'feed.board_members' THEN coalesce(c.new, c.old) ->> 'user_id' END AS member,
       CASE WHEN u.relation = 'feed.board_members' AND u.op IN ('insert', 'update', 'enter') THEN c.new ->> 'role' END AS role,
       1 AS size, u.notified
FROM feed.identity AS i
LEFT JOIN feed.changes_since($1::xid8, $2::xid8[]) AS u ON true
-- As clients know them; see feed.card_image.
CROSS JOIN LATERAL (SELECT CASE WHEN u.relation = 'opportunities' AND u.image_bytes IS NULL AND (SELECT names FROM names) IS NOT NULL
                                THEN feed.card_image(u.old, (SELECT names FROM names)) ELSE u.old END AS old,
                           CASE WHEN u.relation = 'opportunities' AND u.image_bytes IS NULL AND (SELECT names FROM names) IS NOT NULL
                                THEN feed.card_image(u.new, (SELECT names FROM names)) ELSE u.new END AS new OFFSET 0) AS c
LIMIT $3
