-- Many tabs are one user: he is behind as soon as one of them is.
CREATE VIEW feed.editing WITH (security_invoker) AS
SELECT p.user_id, min(p.user_name) AS user_name, p.opportunity_id, o.board_id,
       min(p.started_at) AS since, min(p.base_version) AS base_version, o.version_number AS version,
       bool_or(p.base_version < o.version_number) AS behind
FROM user_presence AS p
JOIN opportunities AS o ON o.id = p.opportunity_id
WHERE p.action = 'editing'
GROUP BY p.user_id, p.opportunity_id, o.board_id, o.version_number;
COMMENT ON VIEW feed.editing IS 'Who edits which opportunity now, and whether he would overwrite what he has not seen.';
COMMENT ON COLUMN feed.editing.user_id IS 'Who';
COMMENT ON COLUMN feed.editing.user_name IS 'His name';
COMMENT ON COLUMN feed.editing.opportunity_id IS 'Which';
COMMENT ON COLUMN feed.editing.board_id IS 'The board that it is on';
COMMENT ON COLUMN feed.editing.since IS 'Since when he has it open';
COMMENT ON COLUMN feed.editing.base_version IS 'The version that he began with; null where his client does not say';
COMMENT ON COLUMN feed.editing.version IS 'The version that it has now';
COMMENT ON COLUMN feed.editing.behind IS 'Somebody has changed it since: saving will be answered 412. Null where the base is not known';
