-- Called only if a key or board is null in a row image. If a column was renamed after feed.attach, its value is under the new
-- name. If it was dropped, there is no value: a row without a key is logged as a reload, and a row without a board belongs to the
-- default board if it is an opportunity, and otherwise to none. The write goes on in any case.
CREATE FUNCTION feed.missing_column(target regclass, data jsonb, columns text[]) RETURNS text
LANGUAGE plpgsql STABLE
COST 1 -- as for feed.compact_change
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    current text[];
BEGIN
    IF data ?& columns THEN
        RETURN NULL;
    END IF;
    current := feed.current_columns(target, columns);
    IF array_position(current, NULL) IS NULL THEN
        RETURN feed.row_key(data, current);
    END IF;
    IF target = feed.opportunities_table() AND columns = (SELECT ARRAY[a.board] FROM feed.attached AS a WHERE a.relation = target) THEN
        RETURN feed.default_board();
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION feed.missing_column(regclass, jsonb, text[]) IS
    'The value of columns that a row does not have under the names given in feed.attach; null if they were dropped, or are null. Used by feed.capture if it finds no key or board.';
