-- Several tabs of one user count as one. The user is behind as soon as one of the tabs is.
CREATE VIEW feed.editing WITH (security_invoker) AS
SELECT p.user_id, min(p.user_name) AS user_name, p.opportunity_id, o.board_id,
       min(p.started_at) AS since, min(p.base_version) AS base_version, o.version_number AS version,
       bool_or(p.base_version < o.version_number) AS behind
FROM feed.user_presence AS p
JOIN feed.opportunities_of(ARRAY(SELECT DISTINCT e.opportunity_id FROM feed.user_presence AS e WHERE e.action = 'editing')) AS o ON o.id = p.opportunity_id
WHERE p.action = 'editing'
GROUP BY p.user_id, p.opportunity_id, o.board_id, o.version_number;
COMMENT ON VIEW feed.editing IS
    'Who is editing which opportunity, and whether saving would overwrite changes that they have not seen.';
COMMENT ON COLUMN feed.editing.user_id IS 'The user';
COMMENT ON COLUMN feed.editing.user_name IS 'Name of the user';
COMMENT ON COLUMN feed.editing.opportunity_id IS 'The opportunity';
COMMENT ON COLUMN feed.editing.board_id IS 'Board of the opportunity';
COMMENT ON COLUMN feed.editing.since IS 'When the user started editing';
COMMENT ON COLUMN feed.editing.base_version IS 'Version that the user started from; null if the client does not report it';
COMMENT ON COLUMN feed.editing.version IS 'Current version';
COMMENT ON COLUMN feed.editing.behind IS
    'Whether the opportunity was changed since base_version. Saving then fails with status 412. Null if base_version is not known.';
