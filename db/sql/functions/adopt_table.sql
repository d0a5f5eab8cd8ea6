-- Makes a table of the application the board, under the application's own names. Calling it again changes the mapping; fields that are
-- not named stay as they are.
CREATE FUNCTION feed.adopt_table(target text, columns jsonb, users text, user_columns jsonb) RETURNS SETOF text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    cards regclass;
    before jsonb;
    was_adopted boolean;
BEGIN
    -- Two sessions would each see the other's mapping too late.
    LOCK TABLE feed.adopted IN SHARE ROW EXCLUSIVE MODE;
    PERFORM feed.require_adoptable(target, columns, users, user_columns);
    cards := feed.application_table(target);
    was_adopted := EXISTS (SELECT FROM feed.adopted AS a WHERE a.role = 'opportunities' AND a.relation = cards);
    before := (SELECT jsonb_object_agg(f.field, f.name) FROM feed.field_columns() AS f);
    PERFORM feed.note_adoption(cards, columns, feed.application_table(users), user_columns);
    IF was_adopted AND EXISTS (SELECT FROM jsonb_each_text(columns) AS c WHERE c.value IS DISTINCT FROM before ->> c.key) THEN
        RETURN QUERY SELECT feed.adopt_again(cards, before, columns ->> 'board_id');
    END IF;
    RETURN QUERY SELECT feed.mend_structure();
END
$$;
COMMENT ON FUNCTION feed.adopt_table(text, jsonb, text, jsonb) IS
    'Does what feed.adopt does, except for slow work such as the index. Raises an error with all obstacles. boardcast adopt calls it.';
