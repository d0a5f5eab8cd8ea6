-- PostgreSQL runs the triggers of a table in the order of their names, byte by byte.
CREATE FUNCTION feed.later_triggers() RETURNS TABLE (relation regclass, name text, is_last boolean)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT t.tgrelid::regclass, t.tgname::text,
           NOT EXISTS (SELECT FROM pg_trigger AS o WHERE o.tgrelid = t.tgrelid AND o.tgfoid = to_regproc('feed.version_opportunity') AND o.tgname > t.tgname AND o.tgenabled <> 'D')
    FROM pg_trigger AS t
    WHERE t.tgrelid = feed.opportunities_table() AND t.tgname > 'zz_feed_version' AND t.tgtype & 19 = 19 AND t.tgenabled <> 'D'
      AND t.tgfoid IS DISTINCT FROM to_regproc('feed.version_opportunity')
$$;
COMMENT ON FUNCTION feed.later_triggers() IS
    'BEFORE UPDATE triggers of the application on the table of the opportunities that run after zz_feed_version; is_last: no trigger of boardcast runs after this one, so it can set another version. See feed.mend_versions.';
