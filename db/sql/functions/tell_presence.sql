-- Tells that a lease came, went or changed; a lease that is only renewed says nothing. Readers take it as a wake-up and read the table.
CREATE FUNCTION feed.tell_presence() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
    lease public.user_presence := coalesce(NEW, OLD);
BEGIN
    -- Where the bell is switched off, services find out when they renew their leases.
    IF pg_catalog.pg_sequence_last_value('feed.pulse') = 9007199254740991 THEN
        RETURN NULL;
    END IF;
    PERFORM pg_catalog.pg_notify('boardcast_presence', pg_catalog.json_build_object(
        'op', pg_catalog.lower(TG_OP), 'user', lease.user_id, 'opportunity', lease.opportunity_id, 'board', lease.board_id,
        'action', lease.action)::text);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION feed.tell_presence() IS 'Trigger of user_presence: NOTIFY boardcast_presence when somebody comes, goes or begins to edit.';
