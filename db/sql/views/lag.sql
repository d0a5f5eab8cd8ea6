-- Measured at the instance's last word, since what was written after it may well have been told: nobody knows. One who is silent is
-- measured now.
CREATE VIEW feed.lag AS
SELECT i.instance, i.service, m.alive, i.anchor, (SELECT max(l.seq) FROM feed.log AS l) AS newest,
       unseen.changes AS behind, coalesce(m.moment - unseen.oldest, interval '0') AS since
FROM feed.instances AS i
CROSS JOIN LATERAL (SELECT i.beat > clock_timestamp() - interval '10 s' AS alive) AS a
CROSS JOIN LATERAL (SELECT a.alive, CASE WHEN a.alive THEN i.beat ELSE clock_timestamp() END AS moment) AS m
CROSS JOIN LATERAL feed.parse_cursor(i.cursor) AS c
CROSS JOIN LATERAL (
    SELECT count(*) AS changes, min(u.at) AS oldest
    FROM (SELECT n.at FROM feed.unseen(c.xmax, c.xip) AS n WHERE n.at < m.moment LIMIT 10001) AS u
) AS unseen;
COMMENT ON VIEW feed.lag IS 'How far behind the log each instance was when it last said so; one that is silent: how far it is by now.';
COMMENT ON COLUMN feed.lag.instance IS 'As /readyz names it';
COMMENT ON COLUMN feed.lag.service IS 'feed or api';
COMMENT ON COLUMN feed.lag.alive IS 'It has spoken within the last ten seconds';
COMMENT ON COLUMN feed.lag.anchor IS 'The newest row of the log that it had told';
COMMENT ON COLUMN feed.lag.newest IS 'The newest row of the log now';
COMMENT ON COLUMN feed.lag.behind IS 'Changes that were in the log and that it had not told; 10001 stands for more than 10000';
COMMENT ON COLUMN feed.lag.since IS 'How long the oldest of them had waited. It counts from the write: one that was not committed yet waits for its writer';
