-- What clients say that they have, beside what they were told: a cursor is shown by who comes (back) with it, polls with it, or pings with it.
CREATE VIEW feed.acks AS
SELECT i.instance, a.cursor, c.anchor, a.clients,
       i.beat - make_interval(secs => a.oldest) AS oldest,
       i.beat - make_interval(secs => a.newest) AS newest
FROM feed.instances AS i
CROSS JOIN LATERAL jsonb_to_recordset(i.acks) AS a(cursor text, clients integer, oldest float, newest float)
CROSS JOIN LATERAL feed.parse_cursor(a.cursor) AS c;
COMMENT ON VIEW feed.acks IS 'Acknowledged: the newest cursors that the clients of each service have shown. A client that shows none (a WebSocket that pings without one, SSE before it comes back) is not among them.';
COMMENT ON COLUMN feed.acks.instance IS 'As /readyz names it';
COMMENT ON COLUMN feed.acks.cursor IS 'All that it has seen its holders have; see feed.has_seen. Of very many cursors neighbours are told as the older one';
COMMENT ON COLUMN feed.acks.anchor IS 'The newest row of the log that it has seen';
COMMENT ON COLUMN feed.acks.clients IS 'How many hold it: open streams, and users who poll';
COMMENT ON COLUMN feed.acks.oldest IS 'When the first of them had shown it';
COMMENT ON COLUMN feed.acks.newest IS 'When the last of them had';
