-- The board's table and that of the users, each with its columns by field, as they are now.
SELECT feed.opportunities_table()::text AS table,
       (SELECT jsonb_object_agg(f.field, f.name) FROM feed.field_columns() AS f WHERE f.name IS NOT NULL) AS columns,
       u.target::text AS users, jsonb_strip_nulls(jsonb_build_object('id', u.key_column, 'name', u.name_column)) AS user_columns
FROM feed.user_columns() AS u
