-- Measured at the time of the instance's last report, because what it has delivered since then is not known. An instance
-- that no longer reports is measured at the current time.
CREATE VIEW feed.lag AS
SELECT i.instance, i.service, m.alive, i.anchor, (SELECT max(l.seq) FROM feed.log AS l) AS newest,
       pending.changes AS behind, coalesce(m.moment - pending.oldest, interval '0') AS delay
FROM feed.instances AS i
CROSS JOIN LATERAL (SELECT i.reported_at > clock_timestamp() - interval '10 s' AS alive) AS a
CROSS JOIN LATERAL (SELECT a.alive, CASE WHEN a.alive THEN i.reported_at ELSE clock_timestamp() END AS moment) AS m
CROSS JOIN LATERAL feed.parse_cursor(i.cursor) AS c
CROSS JOIN LATERAL (
    SELECT count(*) AS changes, min(u.at) AS oldest
    FROM (SELECT n.at FROM feed.changes_since(c.xmax, c.xip) AS n WHERE n.at < m.moment LIMIT 10001) AS u
) AS pending;
COMMENT ON VIEW feed.lag IS
    'How far behind the log each instance was at its last report. An instance that no longer reports: how far it is behind now.';
COMMENT ON COLUMN feed.lag.instance IS 'Name of the instance, as in /readyz';
COMMENT ON COLUMN feed.lag.service IS 'feed or api';
COMMENT ON COLUMN feed.lag.alive IS 'Whether it reported within the last ten seconds';
COMMENT ON COLUMN feed.lag.anchor IS 'Newest row of the log that it had delivered';
COMMENT ON COLUMN feed.lag.newest IS 'Newest row of the log now';
COMMENT ON COLUMN feed.lag.behind IS 'Changes in the log that it had not delivered; 10001 means more than 10000';
COMMENT ON COLUMN feed.lag.delay IS
    'How long the oldest of them had been waiting since it was written. This includes the time that its transaction took to commit.';
