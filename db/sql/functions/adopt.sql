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
    'Uses a table as the board, and its columns as the fields of a card: feed.adopt(''crm.deals'', ''{"phase": "stage", "board_id": "pipeline_id"}'', users => ''auth.users'', user_columns => ''{"id": "id", "name": "email"}''). A field that is not named uses the column with the field''s own name. Returns what was done. boardcast adopt does this without making writers wait.';
