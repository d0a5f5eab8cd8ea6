-- The history is read from the log. A version from before the table was attached (the first one of an adopted row) is taken
-- from the old image of the first change.
CREATE VIEW opportunity_versions AS
SELECT l.seq::text AS id, l.key AS opportunity_id, l.version AS version_number, l.new AS data,
       l.actor AS created_by, l.at AS created_at, l.parents
FROM feed.log AS l
WHERE l.relation = 'opportunities' AND l.op IN ('insert', 'update', 'enter')
UNION ALL
SELECT l.seq::text || '-', l.key, (l.old ->> 'version_number')::int, l.old,
       l.old ->> 'last_modified_by', (l.old ->> 'last_sync_at')::timestamptz, NULL
FROM feed.log AS l
WHERE l.relation = 'opportunities' AND l.op IN ('update', 'leave', 'delete')
  AND NOT EXISTS (SELECT FROM feed.log AS earlier
                  WHERE earlier.relation = 'opportunities' AND earlier.key = l.key AND earlier.seq < l.seq);
COMMENT ON VIEW opportunity_versions IS
    'All versions of all opportunities, including deleted ones, read from feed.log. data is the row as of that version.';
