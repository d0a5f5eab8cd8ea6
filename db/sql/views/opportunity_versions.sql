-- History is the log. A version that was there before the feed was (an adopted row's first) is known from the first change's old image.
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
    'Every version of every opportunity, also of deleted ones, read from feed.log: data is the row as that version left it.';
