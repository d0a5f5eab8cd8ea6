-- Called only if a key or board is null in a row image, or columns are excluded. If a column was renamed or dropped after
-- feed.attach, capture would otherwise log a row without a key, a change that reaches no board, or a column that should be
-- excluded.
CREATE FUNCTION feed.missing_column(target regclass, data jsonb, columns text[]) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT data ?& columns THEN
        RAISE EXCEPTION 'table % was attached with column %, which no longer exists', target,
            (SELECT quote_ident(c.name) FROM unnest(columns) AS c(name) WHERE NOT data ? c.name LIMIT 1)
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = format('It was renamed or dropped. Attach the table again with the current column names: SELECT feed.attach(%L, ...).', target);
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION feed.missing_column(regclass, jsonb, text[]) IS
    'Raises an error if a row lacks one of these columns; otherwise returns null. Used by feed.capture if it finds no key or board.';
