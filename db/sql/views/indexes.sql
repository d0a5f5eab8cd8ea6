-- The indexes that reads and writes depend on, and those that keep keys unique. The required ones are listed here, because
-- a dropped index leaves no trace in the catalogs.
CREATE VIEW feed.indexes AS
WITH wanted AS (
    SELECT to_regclass(w.relation) AS relation, w.name, w.fix
    FROM (VALUES ('feed.log', 'log_pkey', 'ALTER TABLE feed.log ADD CONSTRAINT log_pkey PRIMARY KEY (seq, partition_number);'),
                 ('feed.log', 'log_xid', 'CREATE INDEX log_xid ON feed.log (xid, partition_number);'),
                 ('feed.log', 'log_key', 'CREATE INDEX log_key ON feed.log (relation, key, seq);'),
                 ('feed.delivery_journal', 'delivery_journal_delivered', 'CREATE INDEX delivery_journal_delivered ON feed.delivery_journal (delivered_at);'),
                 ((SELECT feed.opportunities_table()::text FROM feed.field_columns() AS f WHERE f.field = 'board_id' AND f.name IS NOT NULL), 'feed_opportunities_board_id',
                  (SELECT string_agg(c, ' ') FROM feed.board_index() AS c)),
                 ('feed.board_members', 'board_members_user_id', 'CREATE INDEX board_members_user_id ON feed.board_members (user_id);')
         ) AS w(relation, name, fix)
), attached AS MATERIALIZED (
    SELECT DISTINCT t.relation, t.key, t.state FROM feed.triggers AS t WHERE t.function = 'capture'
), there AS (
    SELECT i.indrelid, c.oid, c.relname::text AS name, c.relkind, i.indisvalid, i.indisprimary,
           i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL AS is_key,
           ARRAY(SELECT a.attname::text
                 FROM unnest(i.indkey) WITH ORDINALITY AS k(attnum, place)
                 JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
                 WHERE k.place <= i.indnkeyatts ORDER BY 1) AS columns
    FROM pg_index AS i
    JOIN pg_class AS c ON c.oid = i.indexrelid
    JOIN pg_class AS r ON r.oid = i.indrelid
    WHERE r.relnamespace = 'feed'::regnamespace OR r.oid IN (SELECT w.relation FROM wanted AS w)
       OR r.oid IN (SELECT a.relation FROM attached AS a)
), keys AS (
    SELECT DISTINCT a.relation, a.key FROM attached AS a WHERE a.state NOT IN ('missing', 'stale')
)
SELECT w.relation, w.name AS index,
       CASE WHEN t.oid IS NULL THEN 'missing' WHEN t.indisvalid THEN 'on' ELSE 'invalid' END AS state,
       CASE WHEN t.oid IS NULL THEN w.fix
            WHEN NOT t.indisvalid AND t.relkind = 'i' THEN format('REINDEX INDEX CONCURRENTLY %s;', t.oid::regclass)
            WHEN NOT t.indisvalid THEN format('DROP INDEX %s; %s', t.oid::regclass, w.fix) END AS fix
FROM wanted AS w
LEFT JOIN there AS t ON t.indrelid = w.relation AND t.name = w.name
WHERE w.relation IS NOT NULL
UNION ALL
SELECT t.indrelid::regclass, t.name, CASE WHEN t.indisvalid THEN 'on' ELSE 'invalid' END,
       CASE WHEN NOT t.indisvalid THEN format('REINDEX INDEX CONCURRENTLY %s;', t.oid::regclass) END
FROM there AS t
WHERE NOT EXISTS (SELECT FROM wanted AS w WHERE w.relation = t.indrelid AND w.name = t.name)
UNION ALL
-- A key that is no longer unique would merge rows. feed.attach would refuse it.
SELECT k.relation, NULL, 'missing',
       format('ALTER TABLE %s ADD %s (%s);', k.relation,
              CASE WHEN EXISTS (SELECT FROM there AS t WHERE t.indrelid = k.relation AND t.indisprimary) THEN 'UNIQUE' ELSE 'PRIMARY KEY' END,
              (SELECT string_agg(quote_ident(c.name), ', ' ORDER BY c.place) FROM unnest(k.key) WITH ORDINALITY AS c(name, place)))
FROM keys AS k
WHERE NOT EXISTS (SELECT FROM there AS t WHERE t.indrelid = k.relation AND t.is_key
                                           AND t.columns = ARRAY(SELECT DISTINCT c FROM unnest(k.key) AS c ORDER BY 1));
COMMENT ON VIEW feed.indexes IS 'The indexes of the log and of the attached tables, including missing ones.';
COMMENT ON COLUMN feed.indexes.relation IS 'The table';
COMMENT ON COLUMN feed.indexes.index IS 'Name of the index; null: any index that makes the key of the table unique';
COMMENT ON COLUMN feed.indexes.state IS 'on; missing; invalid: its creation failed, so queries do not use it';
COMMENT ON COLUMN feed.indexes.fix IS 'Command that repairs it; null if it is on';
