CREATE FUNCTION feed.require_adoptable(target text, columns jsonb, users text, user_columns jsonb) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    problems text[] := ARRAY(SELECT feed.adoption_obstacles(target, columns, users, user_columns));
BEGIN
    IF problems <> '{}' THEN
        RAISE EXCEPTION 'table % cannot be the board: %', target, array_to_string(problems, '; ')
            USING ERRCODE = 'invalid_table_definition', HINT = 'Nothing was changed. Write names of columns exactly as created, without quotes.';
    END IF;
END
$$;
COMMENT ON FUNCTION feed.require_adoptable(text, jsonb, text, jsonb) IS
    'Raises an error with all reasons why a table cannot be the board. Used by feed.adopt_table and the migration.';
