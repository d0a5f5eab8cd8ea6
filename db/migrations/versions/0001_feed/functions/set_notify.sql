-- Holds the lock on the row of the lease, like everything that sets feed.notify_suppressed_until. That sequence is set by
-- feed.mute_notify, at the commit.
CREATE FUNCTION feed.set_notify(enabled boolean) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, feed, pg_temp
AS $$
BEGIN
    UPDATE feed.pacer SET muted = NOT enabled WHERE enabled IS NOT NULL;
    IF enabled THEN
        DELETE FROM feed.flags AS f WHERE f.flag = 'notify';
    ELSIF NOT enabled THEN
        INSERT INTO feed.flags (flag, scope, value) VALUES ('notify', 'everybody', 'off') ON CONFLICT DO NOTHING;
    END IF;
    PERFORM pg_notify('boardcast_pacer', '');
END
$$;
COMMENT ON FUNCTION feed.set_notify(boolean) IS
    'Switches NOTIFY on or off. Off: no trigger sends NOTIFY. Changes are logged as before, and delivered by the read pass that every instance makes once a second.';
