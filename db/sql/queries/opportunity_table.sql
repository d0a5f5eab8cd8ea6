-- The table of the opportunities, and its columns that can be written, which are all except generated ones. Each with whether it
-- can hold any text. fields: the column of each field of a card that has one.
SELECT s.target::text AS name, s.key_column AS key, s.board_column AS board, s.complete,
       (SELECT jsonb_object_agg(f.field, f.name) FROM feed.field_columns() AS f WHERE f.name IS NOT NULL) AS fields,
       (SELECT jsonb_object_agg(a.attname, y.typcategory = 'S' ORDER BY a.attnum)
        FROM pg_attribute AS a JOIN pg_type AS y ON y.oid = a.atttypid
        WHERE a.attrelid = s.target AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND a.attidentity <> 'a') AS columns
FROM feed.opportunity_source() AS s
WHERE s.target IS NOT NULL
