-- The text that identifies a row in feed.log. Null if the row does not have these columns.
CREATE FUNCTION feed.row_key(row_data jsonb, key_columns text[]) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 1 -- as for feed.compact_change
RETURN CASE
    WHEN cardinality(key_columns) = 1 THEN row_data ->> key_columns[1]
    WHEN row_data ?& key_columns THEN (SELECT jsonb_agg(row_data -> k.name ORDER BY k.place)::text
          FROM unnest(key_columns) WITH ORDINALITY AS k(name, place))
END;
COMMENT ON FUNCTION feed.row_key(jsonb, text[]) IS
    'Key of a row as written in feed.log: the text of a single key column, or a JSON array of several.';
