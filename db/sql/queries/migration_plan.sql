-- What feed.mend() would do to the tables of the application, and the locks that it would take, from feed.adopted.
WITH target AS (
    SELECT c.oid::regclass AS relation, CASE WHEN c.reltuples > 0 THEN format(' (about %%s)', c.reltuples::bigint) END AS rows, source.board_column, source.row_source
    FROM feed.opportunity_source() AS source JOIN pg_class AS c ON c.oid = source.target
), triggers AS (
    SELECT a.relation, string_agg(t.name, ', ' ORDER BY t.name) AS names
    FROM feed.adopted AS a
    JOIN pg_class AS c ON c.oid = a.relation AND c.relkind IN ('r', 'p')
    JOIN (VALUES ('opportunities', 'feed_begin'), ('opportunities', 'feed_capture_insert'), ('opportunities', 'feed_capture_update'),
                 ('opportunities', 'feed_capture_delete'), ('opportunities', 'feed_capture_truncate'), ('opportunities', 'zz_feed_version'),
                 ('users', 'feed_forget_users'), ('users', 'feed_forget_all_users')) AS t(role, name) ON t.role = a.role
    WHERE NOT EXISTS (SELECT FROM pg_trigger AS p WHERE p.tgrelid = a.relation AND p.tgname = t.name AND NOT p.tgisinternal)
      AND (a.role <> 'users' OR (SELECT u.key_column FROM feed.user_columns() AS u) IS NOT NULL)
    GROUP BY a.relation
), later AS (
    SELECT l.relation, l.name FROM feed.later_triggers() AS l ORDER BY l.name COLLATE "C" DESC LIMIT 1
), stages AS MATERIALIZED (
    SELECT m.* FROM feed.missing_stages() AS m WHERE EXISTS (SELECT FROM feed.boards)
), steps AS (
    SELECT 1 AS place, m.place AS number, format('add column %%I %%s to %%s', m.name, m.definition, t.relation) AS step, true AS locks FROM feed.missing_columns() AS m, target AS t
    UNION ALL
    SELECT 2, t.relation::oid::integer, format('create triggers %%s on %%s', t.names, t.relation), true FROM triggers AS t
    UNION ALL
    SELECT 2, t.relation::oid::integer, format('create trigger %%I on %%s, because %%I runs after zz_feed_version', t.name || '_version', t.relation, t.name), true
    FROM later AS t
    WHERE octet_length(t.name) <= 55 AND NOT EXISTS (SELECT FROM pg_trigger AS p WHERE p.tgrelid = t.relation AND p.tgname = t.name || '_version')
    UNION ALL
    SELECT 3, 0, format('attach %%s again: its triggers are %%s', a.relation, a.state), true
    FROM (SELECT t.relation, min(t.state) AS state FROM feed.triggers AS t
          WHERE t.state IN ('missing', 'renamed', 'stale', 'altered') AND t.relation NOT IN (SELECT n.relation FROM triggers AS n) GROUP BY t.relation) AS a
    UNION ALL
    SELECT 4, 0, format('create index feed_opportunities_board_id on %%s (%%I)', t.relation, coalesce(t.board_column, 'board_id')), false
    FROM target AS t WHERE NOT EXISTS (SELECT FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
                                       WHERE i.indrelid = t.relation AND i.indisvalid AND c.relname = 'feed_opportunities_board_id')
    UNION ALL
    SELECT DISTINCT 5, 0, format('create board %%s, with its stages', s.board), false FROM stages AS s WHERE s.is_new
    UNION ALL
    SELECT 5, 1, format('add stage %%s to board %%s', s.stage, s.board), false FROM stages AS s WHERE NOT s.is_new
)
SELECT 'step' AS kind, s.step AS text, s.place, s.number FROM steps AS s
UNION ALL
SELECT 'step', format('create a board, with its stages, for each value of %%s', coalesce(quote_ident(t.board_column), 'board_id, which is main for all rows')), 5, 0
FROM target AS t WHERE NOT EXISTS (SELECT FROM feed.boards)
UNION ALL
SELECT 'lock', format('%%s: ACCESS EXCLUSIVE. Each attempt waits for at most 0.4 s, and writers go on between attempts. Once it is there, the lock is held for the changes '
                      'to the catalog alone: no row is read or rewritten', string_agg(DISTINCT l.relation::text, ', ')), 6, 0
FROM unnest(feed.application_tables()) AS l(relation)
WHERE EXISTS (SELECT FROM steps AS s WHERE s.locks) AND l.relation::text NOT LIKE 'feed.%%'
HAVING count(*) > 0
UNION ALL
SELECT 'lock', format('%%s: ACCESS SHARE, which blocks no reader or writer, while its rows%%s are read for boards and keys', t.relation, t.rows), 7, 0
FROM target AS t WHERE EXISTS (SELECT FROM steps)
UNION ALL
SELECT 'lock', format('%%s: SHARE UPDATE EXCLUSIVE, which keeps out other changes of the schema and no writer, while the index is created', t.relation), 8, 0
FROM target AS t WHERE EXISTS (SELECT FROM steps AS s WHERE s.place = 4)
ORDER BY place, number, text
