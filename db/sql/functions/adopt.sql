CREATE FUNCTION feed.adopt(target text, columns jsonb DEFAULT '{}', users text DEFAULT NULL, user_columns jsonb DEFAULT '{}') RETURNS SETOF text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT feed.adopt_table(target, columns, users, user_columns);
    RETURN QUERY SELECT feed.mend();
END
$$;
COMMENT ON FUNCTION feed.adopt(text, jsonb, text, jsonb) IS
    'Makes a table the board, with the columns that it has for the fields of a card: feed.adopt(''crm.deals'', ''{"phase": "stage", "board_id": "pipeline_id"}'', users => ''auth.users'', user_columns => ''{"id": "id", "name": "email"}''). A field that is not named has the column of its own name. Returns what was done. boardcast adopt does this without making writers wait.';
