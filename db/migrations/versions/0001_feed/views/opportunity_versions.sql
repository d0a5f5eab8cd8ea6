-- The history is read from the log. A version from before the table was attached (the first one of an adopted row) is taken
-- from the old image of the first change.
CREATE VIEW feed.opportunity_versions AS
SELECT l.seq::text AS id, l.key AS opportunity_id, coalesce(l.version, (l.seq % 2147483647)::integer) AS version_number, 
       feed.image_after(l.relation, l.key, l.seq, l.op, l.old, l.new, l.delta) AS data,
       l.actor AS created_by, l.at AS created_at, l.parents, l.board AS board_id
FROM feed.log AS l
WHERE l.relation = 'opportunities' AND l.op IN ('insert', 'update', 'enter')
UNION ALL
SELECT l.seq::text || '-', l.key, feed.version_number(b.image), b.image,
       b.image ->> 'last_modified_by', CASE WHEN b.image ->> 'last_sync_at' ~ '^[0-9]{4}-' THEN (b.image ->> 'last_sync_at')::timestamptz END, NULL, l.board
FROM feed.log AS l
CROSS JOIN LATERAL (SELECT feed.image_before(l.relation, l.key, l.seq, l.op, l.old, l.new, l.delta) AS image) AS b
WHERE l.relation = 'opportunities' AND l.op IN ('update', 'leave', 'delete')
  AND NOT EXISTS (SELECT FROM feed.log AS earlier
                  WHERE earlier.relation = 'opportunities' AND earlier.key = l.key AND earlier.seq < l.seq);
COMMENT ON VIEW feed.opportunity_versions IS
    'All versions of all opportunities, including deleted ones, read from feed.log. data is the row as of that version.';
COMMENT ON COLUMN feed.opportunity_versions.id IS 'Sequence number of the change that made the version; with a dash: the version before the first logged change';
COMMENT ON COLUMN feed.opportunity_versions.opportunity_id IS 'The opportunity';
COMMENT ON COLUMN feed.opportunity_versions.version_number IS 'The version; the sequence number of the change if the application had no column version_number then';
COMMENT ON COLUMN feed.opportunity_versions.data IS 'The row as of that version';
COMMENT ON COLUMN feed.opportunity_versions.created_by IS 'Who made the version';
COMMENT ON COLUMN feed.opportunity_versions.created_at IS 'When the version was written';
COMMENT ON COLUMN feed.opportunity_versions.parents IS
    'The versions that this one was merged or restored from; null for other changes';
COMMENT ON COLUMN feed.opportunity_versions.board_id IS 'Board of the row in that version';
