-- The columns of a card that can be written, which are all except generated ones.
SELECT a.attname
FROM pg_attribute AS a
WHERE a.attrelid = 'opportunities'::regclass AND a.attnum > 0 AND NOT a.attisdropped
  AND a.attgenerated = '' AND a.attidentity <> 'a'
ORDER BY a.attnum
