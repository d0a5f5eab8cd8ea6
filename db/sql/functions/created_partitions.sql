-- The partitions of a table are in two groups, which the catalogs tell apart: a partition that was created as one was empty, and
-- its rows have been written through the triggers. A table that was attached as a partition brought its rows with it. The row type
-- of a table is stored once, when the table is created; its entry in pg_inherits, when it becomes a partition. CREATE TABLE ...
-- PARTITION OF stores both in one transaction, two commands apart. With ATTACH PARTITION, there are at least five in between.
CREATE FUNCTION feed.created_partitions(target oid) RETURNS regclass[]
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
RETURN (SELECT coalesce(array_agg(c.oid::regclass ORDER BY c.oid), '{}')
        FROM pg_partition_tree(target::regclass) AS p
        JOIN pg_class AS c ON c.oid = p.relid
        JOIN pg_inherits AS i ON i.inhrelid = c.oid
        JOIN pg_type AS t ON t.oid = c.reltype
        WHERE p.level > 0 AND i.xmin::text = t.xmin::text AND i.cmin::text::bigint - t.cmin::text::bigint <= 2);
COMMENT ON FUNCTION feed.created_partitions(oid) IS
    'Partitions of a table, at all levels, that were created as partitions, so they did not come with rows.';
