-- A rollback would not undo setval, so it is called at the end of the transaction. The row stays locked until then.
CREATE FUNCTION feed.mute_notify() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM pg_catalog.setval('feed.notify_suppressed_until', CASE WHEN NEW.muted THEN 9007199254740991 ELSE 0 END);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION feed.mute_notify() IS 'Trigger of feed.pacer: switches NOTIFY off or on when feed.set_notify is committed.';
