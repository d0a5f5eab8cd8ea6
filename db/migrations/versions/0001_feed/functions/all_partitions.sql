CREATE FUNCTION feed.all_partitions(target oid) RETURNS regclass[]
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
RETURN (SELECT coalesce(array_agg(p.relid ORDER BY p.relid::oid), '{}') FROM pg_partition_tree(target::regclass) AS p WHERE p.level > 0);
COMMENT ON FUNCTION feed.all_partitions(oid) IS 'Partitions of a table, at all levels.';
