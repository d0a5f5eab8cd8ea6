CREATE FUNCTION feed.set_seal(enabled boolean) RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, feed, pg_temp
AS $$
    DELETE FROM feed.flags AS f WHERE f.flag = 'seal' AND NOT enabled;
    INSERT INTO feed.flags (flag, scope, value) SELECT 'seal', 'everybody', 'on' WHERE enabled ON CONFLICT DO NOTHING;
$$;
COMMENT ON FUNCTION feed.set_seal(boolean) IS
    'Switches sealing of the log on or off. Existing seals stay, and verify checks them. After it is switched on again, sealing continues where it stopped.';
