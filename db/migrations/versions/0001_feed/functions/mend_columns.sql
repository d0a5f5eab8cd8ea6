-- Adds the columns that are missing. A table of the application gets only those without which a board cannot be shown, sorted or
-- changed safely; a table that boardcast created gets all.
CREATE FUNCTION feed.mend_columns() RETURNS TABLE (name text, was_there boolean)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    target regclass := feed.opportunities_table();
    known feed.adopted;
    wanted record;
    board_column text;
BEGIN
    SELECT * INTO known FROM feed.adopted AS a WHERE a.role = 'opportunities';
    -- Constant defaults do not rewrite the table. The order is that of keys in jsonb (shorter names first), so that the keys of row
    -- images do not have to be sorted.
    FOR wanted IN
        SELECT w.*
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
        WHERE target IS NOT NULL AND (known.created OR NOT w.created_only)
          AND NOT EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = target AND a.attname = w.name AND NOT a.attisdropped)
          AND NOT EXISTS (SELECT FROM feed.field_columns() AS f WHERE f.field = w.name AND f.name IS NOT NULL)
        ORDER BY w.place
    LOOP
        name := wanted.name;
        was_there := wanted.name = ANY (known.added);
        EXECUTE format('ALTER TABLE %s ADD COLUMN %I %s', target, wanted.name,
            CASE WHEN was_there AND wanted.name = 'board_id' THEN format('text NOT NULL DEFAULT %L', coalesce(feed.default_board(), 'main'))
                 -- Greater than all versions that clients may have seen.
                 WHEN was_there AND wanted.name = 'version_number' THEN format('integer NOT NULL DEFAULT %s',
                     (SELECT coalesce(max(coalesce(l.version, (l.seq % 2147483647)::integer)), 0) + 1 FROM feed.log AS l WHERE l.relation = 'opportunities'))
                 WHEN known.created AND wanted.name = 'board_id'
                 THEN wanted.definition || ' CONSTRAINT opportunities_board_id_fkey REFERENCES feed.boards (id) ON DELETE CASCADE'
                 ELSE wanted.definition END);
        IF was_there AND wanted.name IN ('board_id', 'version_number') THEN
            EXECUTE format('ALTER TABLE %s ALTER COLUMN %I SET DEFAULT %s', target, wanted.name, substring(wanted.definition FROM 'DEFAULT (.*)'));
        END IF;
        IF NOT was_there THEN
            UPDATE feed.adopted AS a SET added = a.added || wanted.name::text WHERE a.role = 'opportunities';
        END IF;
        RETURN NEXT;
    END LOOP;
    IF known.created AND target IS NOT NULL AND NOT EXISTS (
        SELECT FROM pg_constraint AS k WHERE k.conrelid = target AND k.contype = 'f' AND k.confrelid = to_regclass('feed.boards')) THEN
        EXECUTE format('ALTER TABLE %s ADD CONSTRAINT opportunities_board_id_fkey FOREIGN KEY (board_id) REFERENCES feed.boards (id) ON DELETE CASCADE NOT VALID', target);
        BEGIN
            EXECUTE format('ALTER TABLE %s VALIDATE CONSTRAINT opportunities_board_id_fkey', target);
        EXCEPTION WHEN foreign_key_violation THEN
            NULL; -- rows on boards that are gone remain, and the constraint holds for new rows
        END;
    END IF;
    board_column := (SELECT f.name FROM feed.field_columns() AS f WHERE f.field = 'board_id');
    IF board_column IS NOT NULL AND NOT EXISTS (SELECT FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
                                                WHERE i.indrelid = target AND c.relname = 'feed_opportunities_board_id') THEN
        EXECUTE format('CREATE INDEX feed_opportunities_board_id ON %s (%I)', target, board_column);
    END IF;
END
$$;
COMMENT ON FUNCTION feed.mend_columns() IS
    'Adds missing columns and the index to the table of the opportunities. was_there: the column was added before and has been dropped since. Used by feed.mend.';
