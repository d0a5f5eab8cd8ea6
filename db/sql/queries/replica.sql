-- Of whom a standby is one, asked in the snapshot that is then read: in recovery after it was made, it shows nothing but what was
-- replayed. The feed's id is renewed with each timeline, and comes here by the WAL: who has it replays that timeline.
SELECT pg_is_in_recovery() AS standby, i.feed_id,
       i.system_identifier = (SELECT system_identifier::text FROM pg_control_system()) AS same, pg_last_wal_replay_lsn()::text AS lsn
FROM feed.identity AS i
