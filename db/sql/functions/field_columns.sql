-- Clients and the API know a card by the fields of the original design. This is the only place that decides which column of the
-- table holds a field: the one that feed.adopt was given, or else the one that has the field's name.
CREATE FUNCTION feed.field_columns() RETURNS TABLE (field text, name text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    target regclass := feed.opportunities_table();
    attached record;
    mapping jsonb := (SELECT a.columns FROM feed.adopted AS a WHERE a.role = 'opportunities');
    named jsonb := '{}';
BEGIN
    SELECT t.key, t.board INTO attached FROM feed.attached AS t WHERE t.relation = target;
    IF mapping <> '{}' THEN
        named := (SELECT coalesce(jsonb_object_agg(c.field, c.name) FILTER (WHERE c.name IS NOT NULL), '{}')
                  FROM (SELECT m.key AS field, feed.mapped_column(target, m.value) AS name FROM jsonb_each(mapping) AS m) AS c);
    END IF;
    -- Attaching the table with another key or board also decides.
    named := named || jsonb_strip_nulls(jsonb_build_object(
        'id', (feed.current_columns(target, coalesce(attached.key, ARRAY[feed.single_key(target)])))[1],
        'board_id', (feed.current_columns(target, ARRAY[attached.board]))[1]));
    RETURN QUERY
    SELECT f.field, coalesce(named ->> f.field, a.attname::text)
    FROM unnest('{id,board_id,phase,title,position,value,currency,owner_id,company,contact,notes,probability,expected_close_date,version_number}'::text[]) AS f(field)
    LEFT JOIN pg_attribute AS a
        ON f.field <> 'id' AND a.attrelid = target AND a.attname = f.field AND a.attnum > 0 AND NOT a.attisdropped
           AND NOT EXISTS (SELECT FROM jsonb_each_text(named) AS n WHERE n.value = f.field);
END
$$;
COMMENT ON FUNCTION feed.field_columns() IS
    'The fields of a card, each with the column of the table of the opportunities that holds it; null: there is none. See feed.adopt.';
