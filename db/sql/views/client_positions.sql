-- What clients have confirmed, as opposed to what was delivered to them. A client confirms a cursor by connecting, polling
-- or pinging with it.
CREATE VIEW feed.client_positions AS
SELECT i.instance, a.cursor, c.anchor, a.clients,
       i.reported_at - make_interval(secs => a.oldest) AS oldest,
       i.reported_at - make_interval(secs => a.newest) AS newest
FROM feed.instances AS i
CROSS JOIN LATERAL jsonb_to_recordset(i.client_positions) AS a(cursor text, clients integer, oldest float, newest float)
CROSS JOIN LATERAL feed.parse_cursor(a.cursor) AS c;
COMMENT ON VIEW feed.client_positions IS
    'Newest cursors that the clients of each instance have confirmed. Clients that confirm none are not included: a WebSocket client that pings without a cursor, or an SSE client until it reconnects.';
COMMENT ON COLUMN feed.client_positions.instance IS 'Name of the instance, as in /readyz';
COMMENT ON COLUMN feed.client_positions.cursor IS
    'Its clients have received everything that this cursor covers; see feed.has_seen. If there are very many cursors, neighboring ones are combined into the older one.';
COMMENT ON COLUMN feed.client_positions.anchor IS 'Newest row of the log that the cursor covers';
COMMENT ON COLUMN feed.client_positions.clients IS 'Number of clients at this position: open streams, and users who poll';
COMMENT ON COLUMN feed.client_positions.oldest IS 'When the first of them confirmed it';
COMMENT ON COLUMN feed.client_positions.newest IS 'When the last of them confirmed it';
