-- Versions of one opportunity, newest first, limited to those on boards that the user is a member of. stored: the row under the
-- names that the table has, if these are not those of data.
SELECT v.version_number, v.board_id, c.data::text AS data, (to_jsonb(v) || jsonb_build_object('data', c.data))::text AS body,
       CASE WHEN n.names IS NOT NULL THEN feed.stored_image(v.data)::text WHEN c.data <> v.data THEN v.data::text END AS stored
FROM (SELECT v.*
      FROM feed.opportunity_versions AS v
      WHERE v.opportunity_id = %(id)s::text
        AND v.version_number < coalesce(%(before)s::int, 2147483647)
        AND v.board_id IN (SELECT m.board_id FROM feed.board_members AS m WHERE m.user_id = %(user)s::text)
      ORDER BY v.version_number DESC
      LIMIT %(limit)s) AS v
LEFT JOIN feed.card_names() AS n ON true
CROSS JOIN LATERAL (
    SELECT feed.opportunity_image(feed.card_image(v.data, n.names), v.opportunity_id, v.board_id, v.version_number) AS data OFFSET 0) AS c
ORDER BY v.version_number DESC
