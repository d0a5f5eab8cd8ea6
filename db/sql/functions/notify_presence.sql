-- Sends NOTIFY when a lease is created, ended or changed, but not when it is only renewed. Readers use it as a wake-up and
-- read the table.
CREATE FUNCTION feed.notify_presence() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
    lease feed.user_presence := coalesce(NEW, OLD);
BEGIN
    -- If NOTIFY is switched off, the services see the change when they renew their leases.
    IF pg_catalog.pg_sequence_last_value('feed.notify_suppressed_until') = 9007199254740991 THEN
        RETURN NULL;
    END IF;
    PERFORM pg_catalog.pg_notify('boardcast_presence', pg_catalog.json_build_object(
        'op', pg_catalog.lower(TG_OP), 'user', lease.user_id, 'opportunity', lease.opportunity_id, 'board', lease.board_id,
        'action', lease.action)::text);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION feed.notify_presence() IS
    'Trigger of user_presence: NOTIFY boardcast_presence when somebody arrives, leaves or starts editing.';
