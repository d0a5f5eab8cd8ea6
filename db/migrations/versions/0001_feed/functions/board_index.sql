-- The index of the board column is created beside writers. Each command is run by itself, outside of a transaction. An index of a
-- partitioned table cannot be created like that, but those of its partitions can, and its own is then made of them.
CREATE FUNCTION feed.board_index() RETURNS SETOF text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    target regclass := feed.opportunities_table();
    board_column text := (SELECT f.name FROM feed.field_columns() AS f WHERE f.field = 'board_id');
    partitioned boolean := (SELECT c.relkind = 'p' FROM pg_class AS c WHERE c.oid = target);
    found record;
BEGIN
    SELECT c.oid::regclass AS index, i.indisvalid AS valid INTO found FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
    WHERE i.indrelid = target AND c.relname = 'feed_opportunities_board_id';
    -- An index that another session is creating is left to it.
    IF board_column IS NULL OR found.valid OR EXISTS (SELECT FROM pg_stat_progress_create_index AS p WHERE p.relid = target) THEN
        RETURN;
    END IF;
    IF found.index IS NOT NULL THEN
        RETURN NEXT format('DROP INDEX %s%s;', CASE WHEN NOT partitioned THEN 'CONCURRENTLY ' END, found.index);
    END IF;
    IF NOT partitioned THEN
        RETURN NEXT format('CREATE INDEX CONCURRENTLY feed_opportunities_board_id ON %s (%I);', target, board_column);
        RETURN;
    END IF;
    FOR found IN
        SELECT p.relid AS partition, 'feed_board_id_' || p.relid::oid AS name, to_regclass(format('%I.%I', n.nspname, 'feed_board_id_' || p.relid::oid)) AS index,
               (SELECT i.indisvalid FROM pg_index AS i JOIN pg_class AS x ON x.oid = i.indexrelid WHERE i.indrelid = p.relid AND x.relname = 'feed_board_id_' || p.relid::oid) AS valid
        FROM pg_partition_tree(target) AS p JOIN pg_class AS c ON c.oid = p.relid JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE p.isleaf AND c.relkind = 'r'
        ORDER BY p.relid::oid
    LOOP
        IF found.valid IS FALSE THEN
            RETURN NEXT format('DROP INDEX CONCURRENTLY %s;', found.index);
        END IF;
        IF found.valid IS NOT TRUE THEN
            RETURN NEXT format('CREATE INDEX CONCURRENTLY %I ON %s (%I);', found.name, found.partition, board_column);
        END IF;
    END LOOP;
    RETURN NEXT format('SELECT feed.lock_tables(ARRAY[%L::regclass], ''SHARE''); CREATE INDEX feed_opportunities_board_id ON %s (%I);', target, target, board_column);
END
$$;
COMMENT ON FUNCTION feed.board_index() IS
    'The commands that create the index on the board column of the opportunities beside writers; no row if it is there. boardcast migrate runs them.';
