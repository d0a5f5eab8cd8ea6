-- The text that names a row in feed.log: the key column as text, or, for a composite key, a JSON array of its columns.
-- Null where the row has no such column.
CREATE FUNCTION feed.row_key(row_data jsonb, key_columns text[]) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN cardinality(key_columns) = 1 THEN row_data ->> key_columns[1]
    WHEN row_data ?& key_columns THEN (SELECT jsonb_agg(row_data -> k.name ORDER BY k.place)::text
          FROM unnest(key_columns) WITH ORDINALITY AS k(name, place))
END;
COMMENT ON FUNCTION feed.row_key(jsonb, text[]) IS
    'The key of a row as feed.log writes it: text of the one key column, or a JSON array of several.';
