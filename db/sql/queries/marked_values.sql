-- What an image has instead of values that JSON cannot hold (see feed.value_image): their texts, or nothing at all.
SELECT v.name, format_type(a.atttypid, a.atttypmod) AS type, v.text
FROM (SELECT e.key AS name, feed.marked_text(e.value) AS text, jsonb_typeof(e.value) = 'object' AND e.value ? '$omitted' AS omitted
      FROM jsonb_each(%(data)s::jsonb) AS e) AS v
JOIN pg_attribute AS a ON a.attrelid = %(table)s::text::regclass AND a.attname = v.name AND a.attnum > 0
WHERE v.text IS NOT NULL OR v.omitted
