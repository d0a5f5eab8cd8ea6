-- Transactions that have ended on the primary, according to a snapshot from it, and that the standby was not asked about
-- before, but whose end it has not replayed. Runs before the transaction that reads; changes replayed in between are
-- returned next time.
SELECT coalesce(array_agg(e.xid ORDER BY e.xid), '{}') AS xids
FROM (SELECT generate_series(%(since_xmax)s::bigint, %(xmax)s::bigint - 1) AS xid
      UNION ALL
      SELECT unnest(%(since_xip)s::bigint[])) AS e
CROSS JOIN (SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS xmax OFFSET 0) AS here
WHERE e.xid <> ALL (%(xip)s::bigint[])
  AND CASE WHEN e.xid >= here.xmax THEN true ELSE pg_xact_status(e.xid::text::xid8) = 'in progress' END
