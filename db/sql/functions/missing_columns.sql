-- A table of the application gets only the columns without which a board cannot be shown, sorted or changed safely; a table that
-- boardcast created gets all. Constant defaults do not rewrite the table. The order is that of keys in jsonb (shorter names first),
-- so that the keys of row images do not have to be sorted.
CREATE FUNCTION feed.missing_columns() RETURNS TABLE (place integer, name text, definition text, was_there boolean)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT w.place, w.name, w.definition, w.name = ANY (k.added)
    FROM (VALUES (1, 'notes', 'text', true),
                 (2, 'phase', 'text NOT NULL DEFAULT ''''', false),
                 (3, 'title', 'text NOT NULL DEFAULT ''''', false),
                 (4, 'value', 'numeric(14, 2)', true),
                 (5, 'company', 'text', true),
                 (6, 'contact', 'text', true),
                 (7, 'board_id', 'text NOT NULL DEFAULT ''main''', false),
                 (8, 'currency', 'text NOT NULL DEFAULT ''BRL''', true),
                 (9, 'owner_id', 'text', true),
                 (10, 'position', 'text NOT NULL DEFAULT ''a0''', false),
                 (11, 'created_at', 'timestamptz NOT NULL DEFAULT now()', true),
                 (12, 'probability', 'integer', true),
                 (13, 'last_sync_at', 'timestamptz NOT NULL DEFAULT now()', true),
                 (14, 'version_number', 'integer NOT NULL DEFAULT 1', false),
                 (15, 'last_modified_by', 'text', true),
                 (16, 'expected_close_date', 'date', true)) AS w(place, name, definition, created_only)
    JOIN feed.adopted AS k ON k.role = 'opportunities'
    CROSS JOIN (SELECT feed.opportunities_table() AS target) AS t
    WHERE t.target IS NOT NULL AND (k.created OR NOT w.created_only)
      AND NOT EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = t.target AND a.attname = w.name AND NOT a.attisdropped)
      AND NOT EXISTS (SELECT FROM feed.field_columns() AS f WHERE f.field = w.name AND f.name IS NOT NULL)
$$;
COMMENT ON FUNCTION feed.missing_columns() IS
    'The columns that the table of the opportunities lacks, in the order in which they are added. was_there: it was added before, and has been dropped since. Used by feed.mend.';
