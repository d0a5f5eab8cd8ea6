-- The names in feed.attach are resolved to column numbers, which a later RENAME COLUMN does not change. A name that was not
-- resolved, and one whose column was dropped, stands for the column that has it now. So does each name after a dump was restored:
-- columns get new numbers then.
CREATE FUNCTION feed.current_columns(target regclass, named text[]) RETURNS text[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
-- Otherwise each call plans the query, which takes ten times as long as to run it.
SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
    RETURN (
        SELECT coalesce(array_agg(coalesce(
                   (SELECT a.attname::text FROM feed.attached AS t JOIN pg_attribute AS a ON a.attrelid = t.relation AND a.attnum = (t.columns ->> n.name)::integer
                    WHERE t.relation = target AND t.numbered = target::oid AND NOT a.attisdropped),
                   (SELECT a.attname::text FROM pg_attribute AS a
                    WHERE a.attrelid = target AND a.attname = n.name AND a.attnum > 0 AND NOT a.attisdropped)) ORDER BY n.place), '{}')
        FROM unnest(named) WITH ORDINALITY AS n(name, place));
END
$$;
COMMENT ON FUNCTION feed.current_columns(regclass, text[]) IS
    'Present names of columns of an attached table that were named in feed.attach. Null for a column that was dropped.';
