-- Identifies the primary of a standby, in the same snapshot as the read that follows. If the server was in recovery after
-- the snapshot was taken, the snapshot shows only replayed changes. The feed ID is renewed with each timeline and arrives
-- through the WAL, so a standby that has it replays that timeline.
SELECT pg_is_in_recovery() AS standby, i.feed_id,
       i.system_identifier = (SELECT system_identifier::text FROM pg_control_system()) AS same, pg_last_wal_replay_lsn()::text AS lsn
FROM feed.identity AS i
