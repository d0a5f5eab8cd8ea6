-- The next so many rows below a number: how far down they go, and since when they are. Whatever a filter finds among them, the cost is theirs.
SELECT s.low, s.rows, (SELECT l.at FROM feed.log AS l WHERE l.seq = s.low) AS at
FROM (SELECT min(n.seq) AS low, count(*) AS rows
      FROM (SELECT l.seq FROM feed.log AS l
            WHERE l.seq < %(before)s AND l.seq >= %(floor)s
            ORDER BY l.seq DESC LIMIT %(window)s) AS n) AS s
