-- Under the lock of the lease's row, as all that moves the pulse. The pulse is set last, as no rollback takes it back.
CREATE FUNCTION feed.set_bell(rings boolean) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, feed, pg_temp
AS $$
BEGIN
    UPDATE feed.pacer SET silent = NOT rings WHERE silent = rings;
    IF rings THEN
        DELETE FROM feed.flags AS f WHERE f.flag = 'bell';
    ELSIF NOT rings THEN
        INSERT INTO feed.flags (flag, scope, value) VALUES ('bell', 'everybody', 'off') ON CONFLICT DO NOTHING;
    END IF;
    PERFORM pg_notify('boardcast_pacer', '');
    PERFORM setval('feed.pulse', CASE WHEN rings THEN 0 WHEN NOT rings THEN 9007199254740991 END);
END
$$;
COMMENT ON FUNCTION feed.set_bell(boolean) IS
    'Whether writers ring. If not, no trigger sends NOTIFY; all is logged as before, and told by the sweep that every instance makes once a second.';
