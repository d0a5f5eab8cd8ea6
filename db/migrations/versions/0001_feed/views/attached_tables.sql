-- One row for each problem of an attached table, or one row that says that there is none. Names are looked up in the catalogs
-- and not with to_regclass, which fails on a schema that the current role may not use.
CREATE VIEW feed.attached_tables AS
WITH capturing AS (
    SELECT DISTINCT ON (t.tgrelid) t.tgrelid, a.key, a.board, a.excluded
    FROM pg_trigger AS t
    JOIN pg_proc AS p ON p.oid = t.tgfoid AND p.pronamespace = 'feed'::regnamespace AND p.proname = 'capture'
    CROSS JOIN LATERAL feed.trigger_arguments(t.tgargs) AS a
    WHERE NOT t.tgisinternal AND t.tgparentid = 0
), tables AS (
    SELECT a.relation, a.schema_name, a.table_name, n.key, n.board, n.excluded, a.partitions, true AS known
    FROM feed.attached AS a
    LEFT JOIN pg_class AS c ON c.oid = a.relation
    -- With their present names, or those that they had if the table was dropped.
    CROSS JOIN LATERAL (
        SELECT CASE WHEN c.oid IS NULL THEN a.key ELSE feed.current_columns(a.relation, a.key) END AS key,
               CASE WHEN c.oid IS NULL THEN a.board ELSE (feed.current_columns(a.relation, ARRAY[a.board]))[1] END AS board,
               CASE WHEN c.oid IS NULL THEN a.excluded ELSE array_remove(feed.current_columns(a.relation, a.excluded), NULL) END AS excluded) AS n
    UNION ALL
    -- Triggers alone do not tell since when the table is attached.
    SELECT c.oid, n.nspname, c.relname, t.key, t.board, t.excluded, '{}', false
    FROM capturing AS t
    JOIN pg_class AS c ON c.oid = t.tgrelid
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE NOT EXISTS (SELECT FROM feed.attached AS a WHERE a.relation = c.oid OR (a.schema_name, a.table_name) = (n.nspname, c.relname))
), found AS (
    SELECT t.*, format('%I.%I', t.schema_name, t.table_name) AS full_name, c.oid IS NOT NULL AS there, c.relkind, c.relpersistence, c.relispartition,
           (n.nspname, c.relname) = (t.schema_name, t.table_name) OR t.relation = (SELECT feed.opportunities_table()) AS keeps_name, other.oid AS other, other.relkind AS other_kind
    FROM tables AS t
    LEFT JOIN pg_class AS c ON c.oid = t.relation
    LEFT JOIN pg_namespace AS n ON n.oid = c.relnamespace
    -- What has the name now.
    LEFT JOIN (pg_class AS other JOIN pg_namespace AS m ON m.oid = other.relnamespace)
      ON m.nspname = t.schema_name AND other.relname = t.table_name AND other.oid <> t.relation
         -- The log and the boards follow the table of the opportunities to another name.
         AND t.relation IS DISTINCT FROM (SELECT feed.opportunities_table())
), problems AS (
    SELECT f.relation, p.state, p.problem, p.fix
    FROM found AS f
    CROSS JOIN LATERAL (
        SELECT 'replaced' AS state,
               format('%s is another table now', f.full_name) || CASE WHEN f.there THEN format('; the attached one is now %s', f.relation) ELSE '' END AS problem,
               CASE WHEN f.relation = (SELECT a.relation FROM feed.adopted AS a WHERE a.role = 'opportunities') THEN 'SELECT feed.mend();'
                    ELSE feed.attach_command(f.other::regclass::text, f.key, f.board, f.excluded) END AS fix
        WHERE f.other_kind IN ('r', 'p')
        UNION ALL
        SELECT 'dropped', format('%s was dropped', f.full_name),
               format('SELECT feed.detach(%L);', f.relation::oid)
        WHERE NOT f.there AND coalesce(f.other_kind NOT IN ('r', 'p'), true)
        UNION ALL
        SELECT 'renamed', format('%s is called %s now, and so are its changes', f.full_name, f.relation),
               feed.attach_command(f.relation::text, f.key, f.board, f.excluded)
        WHERE f.there AND NOT f.keeps_name AND coalesce(f.other_kind NOT IN ('r', 'p'), true)
        UNION ALL
        SELECT 'unknown', format('%s has triggers of the feed, but feed.attached does not list it', f.relation),
               feed.attach_command(f.relation::text, f.key, f.board, f.excluded)
        WHERE NOT f.known
        UNION ALL
        SELECT 'unlogged', format('%s is unlogged, so a crash would empty it without a change in the log', f.relation),
               format('ALTER TABLE %s SET LOGGED;', f.relation)
        WHERE f.relpersistence = 'u'
        UNION ALL
        SELECT 'partition', format('%s is a partition of %s, and writes to that table do not fire its triggers', f.relation, pg_partition_root(f.relation)),
               format('SELECT feed.detach(%L); %s', f.relation::text,
                      feed.attach_command(pg_partition_root(f.relation)::text, f.key, f.board, f.excluded))
        WHERE f.relispartition
        UNION ALL
        SELECT 'inherited', format('%s inherits from %s, and writes to one do not fire the triggers of the other', i.inhrelid::regclass, i.inhparent::regclass),
               format('ALTER TABLE %s NO INHERIT %s;', i.inhrelid::regclass, i.inhparent::regclass)
        FROM pg_inherits AS i
        WHERE f.relkind = 'r' AND NOT f.relispartition AND f.relation IN (i.inhparent, i.inhrelid)
        UNION ALL
        SELECT 'nullable', format('key column %I of %s can be null', k.attname, f.relation), format('ALTER TABLE %s ALTER COLUMN %I SET NOT NULL;', f.relation, k.attname)
        FROM pg_attribute AS k
        WHERE k.attrelid = f.relation AND k.attname = ANY (f.key) AND NOT k.attnotnull AND NOT k.attisdropped
        UNION ALL
        SELECT 'partitions',
               concat_ws('; ', 'partitions of ' || f.relation || ' were detached or dropped: ' || gone.names, 'tables were attached to it as partitions: ' || come.names),
               feed.attach_command(f.relation::text, f.key, f.board, f.excluded)
        FROM (SELECT string_agg(p::text, ', ' ORDER BY p::text) AS names FROM unnest(f.partitions) AS p
              WHERE p <> ALL (feed.all_partitions(f.relation))) AS gone,
             (SELECT string_agg(p::text, ', ' ORDER BY p::text) AS names FROM unnest(feed.all_partitions(f.relation)) AS p
              WHERE p <> ALL (f.partitions || feed.created_partitions(f.relation))) AS come
        WHERE f.there AND f.known AND num_nonnulls(gone.names, come.names) > 0
    ) AS p
)
SELECT CASE WHEN f.there THEN f.relation END AS relation, CASE WHEN f.there THEN f.relation::text ELSE f.full_name END AS name,
       coalesce(p.state, 'on') AS state, p.problem, f.key, f.board, f.excluded, p.fix
FROM found AS f
LEFT JOIN problems AS p ON p.relation = f.relation;
COMMENT ON VIEW feed.attached_tables IS
    'The attached tables, with everything that has happened to each of them and that its triggers could not see. For the triggers themselves, see feed.triggers.';
COMMENT ON COLUMN feed.attached_tables.relation IS 'The table; null if it was dropped';
COMMENT ON COLUMN feed.attached_tables.name IS 'Its name; the one it had if it was dropped';
COMMENT ON COLUMN feed.attached_tables.state IS
    'on; replaced: another table has its name; dropped; renamed; unknown: it has triggers, but was not attached by feed.attach; unlogged; partition: it became one; inherited: it has a parent or a child; nullable: its key can be null; partitions: some came with rows, or are gone';
COMMENT ON COLUMN feed.attached_tables.problem IS 'The same in words; null if it is on';
COMMENT ON COLUMN feed.attached_tables.key IS 'Key columns, with their present names; null for one that was dropped';
COMMENT ON COLUMN feed.attached_tables.board IS 'Column with the board whose clients receive the change; null: only LISTEN and the log get it';
COMMENT ON COLUMN feed.attached_tables.excluded IS 'Columns that are not logged';
COMMENT ON COLUMN feed.attached_tables.fix IS 'Command that mends it; null if it is on';
