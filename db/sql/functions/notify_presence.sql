-- Sends NOTIFY when a lease is created, ended or changed, but not when it is only renewed. Readers use it as a wake-up and
-- read the table. It has no payload, because any role of the database may LISTEN.
CREATE FUNCTION feed.notify_presence() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    -- If NOTIFY is switched off, the services see the change when they renew their leases.
    IF pg_catalog.pg_sequence_last_value('feed.notify_suppressed_until') OPERATOR(pg_catalog.=) 9007199254740991 THEN
        RETURN NULL;
    END IF;
    PERFORM pg_catalog.pg_notify('boardcast_presence', '');
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION feed.notify_presence() IS
    'Trigger of user_presence: NOTIFY boardcast_presence when a user arrives, leaves or starts editing.';
