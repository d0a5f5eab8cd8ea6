-- Versions of one opportunity, newest first, limited to those on boards that the user is a member of.
SELECT v.version_number, v.data::text AS data, to_jsonb(v)::text AS body
FROM opportunity_versions AS v
WHERE v.opportunity_id = %(id)s::text
  AND v.version_number < coalesce(%(before)s::int, 2147483647)
  AND v.data ->> 'board_id' IN (SELECT m.board_id FROM board_members AS m WHERE m.user_id = %(user)s::text)
ORDER BY v.version_number DESC
LIMIT %(limit)s
