-- A window of the next rows below a sequence number: where it starts, how many rows it has, and the time of its first row.
-- The cost is limited to these rows, however few of them a filter matches.
SELECT s.low, s.rows, (SELECT l.at FROM feed.log AS l WHERE l.seq = s.low) AS at
FROM (SELECT min(n.seq) AS low, count(*) AS rows
      FROM (SELECT l.seq FROM feed.log AS l
            WHERE l.seq < %(before)s AND l.seq >= %(floor)s
            ORDER BY l.seq DESC LIMIT %(window)s) AS n) AS s
