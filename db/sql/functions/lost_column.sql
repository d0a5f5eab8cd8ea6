-- Called only where a name or a board was not found. A column that was renamed or dropped after feed.attach would else be logged as a row
-- without a key, a change that no board is told of, or a column that was to be left out and is not.
CREATE FUNCTION feed.lost_column(target regclass, data jsonb, columns text[]) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT data ?& columns THEN
        RAISE EXCEPTION 'table % was fed with a column % that it has no more', target,
            (SELECT quote_ident(c.name) FROM unnest(columns) AS c(name) WHERE NOT data ? c.name LIMIT 1)
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = format('It was renamed or dropped: say its new name with SELECT feed.attach(%L, …).', target);
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION feed.lost_column(regclass, jsonb, text[]) IS
    'Null; an error if a row has no column of one of these names. For feed.capture, where it finds no key or board.';
