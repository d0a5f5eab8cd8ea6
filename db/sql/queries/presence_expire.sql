-- Removes leases that nobody renews (from an instance that was killed, or an HTTP client that left), and leases on
-- opportunities or boards that were deleted or that the user can no longer see.
WITH places AS MATERIALIZED (
    SELECT o.id, o.board_id FROM feed.opportunities_of(ARRAY(SELECT DISTINCT p.opportunity_id FROM feed.user_presence AS p)) AS o
)
DELETE FROM feed.user_presence AS p
WHERE p.last_activity < now() - CASE p.instance WHEN 'http' THEN interval '30 s' ELSE interval '8 s' END
   OR NOT EXISTS (
       SELECT FROM feed.board_members AS m
       WHERE m.user_id = p.user_id
         AND m.board_id = coalesce(p.board_id, (SELECT o.board_id FROM places AS o WHERE o.id = p.opportunity_id)))
