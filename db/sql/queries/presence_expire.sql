-- Takes away what nobody renews: the lease of an instance that was killed, or of a client without a connection that went; and
-- those of opportunities and boards that are gone, or not the user's any more.
DELETE FROM user_presence AS p
WHERE p.last_activity < now() - CASE p.instance WHEN 'http' THEN interval '30 s' ELSE interval '8 s' END
   OR NOT EXISTS (
       SELECT FROM board_members AS m
       WHERE m.user_id = p.user_id
         AND m.board_id = coalesce(p.board_id, (SELECT o.board_id FROM opportunities AS o WHERE o.id = p.opportunity_id)))
