-- Complete boards, and the position in the log at which they were read. One statement, so it is consistent. Each card is
-- the JSON of its row.
WITH names AS MATERIALIZED (
    SELECT u.* FROM feed.user_names(ARRAY(SELECT DISTINCT m.user_id FROM feed.board_members AS m WHERE m.board_id = ANY (%(boards)s::text[]))) AS u
)
SELECT b.id,
       jsonb_build_object('id', b.id, 'name', b.name, 'phases', b.phases, 'currency', b.currency,
                          'archived', b.archived_at IS NOT NULL, 'version', b.version_number,
                          'closeReasons', b.close_reasons, 'staleDays', b.stale_days)::text AS board,
       coalesce((SELECT jsonb_agg(jsonb_build_object('userId', m.user_id, 'name', coalesce(u.name, m.user_id), 'role', m.role)
                                  ORDER BY m.user_id)
                 FROM feed.board_members AS m LEFT JOIN names AS u ON u.id = m.user_id
                 WHERE m.board_id = b.id), '[]')::text AS members,
       coalesce((SELECT '[' || string_agg(c.body::text, ',' ORDER BY c.place COLLATE "C", c.id) || ']'
                 FROM feed.opportunities_on(ARRAY[b.id]) AS c), '[]') AS opportunities,
       i.feed_id,
       pg_current_snapshot()::text AS snapshot,
       greatest((SELECT l.xid::text::bigint FROM feed.log AS l WHERE l.partition_number >= i.first_partition ORDER BY l.xid DESC LIMIT 1),
                nullif(i.first_xid::text::bigint, 0) - 1) AS last_xid,
       anchor.seq, anchor.xid::text::bigint AS xid, anchor.at
FROM feed.boards AS b
CROSS JOIN feed.identity AS i
LEFT JOIN LATERAL (SELECT l.seq, l.xid, l.at FROM feed.log AS l ORDER BY l.seq DESC LIMIT 1) AS anchor ON true
WHERE b.id = ANY (%(boards)s::text[])
