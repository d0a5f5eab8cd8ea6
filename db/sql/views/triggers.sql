-- One row for each trigger that there is or should be: a fed table has all that feed.attach makes. The CRM's three are fed without asking,
-- so that one which lost all its triggers is still seen.
CREATE VIEW feed.triggers AS
WITH ours AS (
    SELECT t.tgrelid, t.tgname::text AS name, t.tgenabled, t.tgargs, p.oid AS function, p.proname::text AS does
    FROM pg_trigger AS t
    JOIN pg_proc AS p ON p.oid = t.tgfoid
    WHERE p.pronamespace = 'feed'::regnamespace AND NOT t.tgisinternal AND t.tgparentid = 0
), fed AS (
    SELECT tgrelid FROM ours WHERE does = 'capture'
    UNION
    SELECT c.oid FROM pg_class AS c
    WHERE c.oid IN (to_regclass('public.opportunities'), to_regclass('public.boards'), to_regclass('public.board_members'))
), wanted AS (
    SELECT f.tgrelid, w.name, w.does
    FROM fed AS f
    CROSS JOIN (VALUES ('feed_capture_insert', 'capture'), ('feed_capture_update', 'capture'), ('feed_capture_delete', 'capture'),
                       ('feed_capture_truncate', 'capture'), ('feed_guard_key', 'guard_key')) AS w(name, does)
    UNION ALL
    SELECT f.tgrelid, 'feed_name_author', 'name_author'
    FROM fed AS f
    JOIN pg_attribute AS a ON a.attrelid = f.tgrelid AND a.attname = 'last_modified_by' AND NOT a.attisdropped
    UNION ALL
    SELECT f.tgrelid, 'zz_feed_version', 'version_opportunity' FROM fed AS f WHERE f.tgrelid = to_regclass('public.opportunities')
), known AS (
    -- How a table is attached, as its other triggers say, or as the CRM's three were.
    SELECT DISTINCT ON (k.tgrelid) k.tgrelid, k.key, k.board, k.left_out
    FROM (SELECT o.tgrelid, a.key, a.board, a.left_out, 1 AS rank
          FROM ours AS o CROSS JOIN LATERAL feed.trigger_arguments(o.tgargs) AS a WHERE o.does = 'capture'
          UNION ALL
          SELECT to_regclass('public.' || c.name), c.key, c.board, '{}', 2
          FROM (VALUES ('opportunities', '{id}'::text[], 'board_id'), ('boards', '{id}', 'id'),
                       ('board_members', '{board_id,user_id}', 'board_id')) AS c(name, key, board)) AS k
    ORDER BY k.tgrelid, k.rank
), told AS (
    SELECT coalesce(o.tgrelid, w.tgrelid)::regclass AS relation,
           coalesce(o.name, w.name) AS trigger,
           CASE WHEN o.does = 'capture' AND EXISTS (
                    SELECT FROM unnest(a.board || a.key || a.left_out) AS c(name)
                    WHERE c.name IS NOT NULL AND NOT EXISTS (
                        SELECT FROM pg_attribute AS n WHERE n.attrelid = o.tgrelid AND n.attname = c.name AND NOT n.attisdropped)) THEN 'stale'
                ELSE CASE o.tgenabled WHEN 'O' THEN 'on' WHEN 'A' THEN 'always' WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'replica'
                                        ELSE 'missing' END END AS state,
           coalesce(o.does, w.does) AS function,
           CASE o.does WHEN 'capture' THEN a.key END AS key,
           CASE o.does WHEN 'capture' THEN a.board END AS board,
           CASE o.does WHEN 'capture' THEN a.left_out END AS left_out,
           s.calls, round((s.total_time / nullif(s.calls, 0) * 1000)::numeric, 1) AS us_per_call
    FROM ours AS o
    FULL JOIN wanted AS w ON w.tgrelid = o.tgrelid AND w.name = o.name
    CROSS JOIN LATERAL feed.trigger_arguments(o.tgargs) AS a
    LEFT JOIN pg_stat_user_functions AS s ON s.funcid = o.function
)
SELECT t.*,
       CASE WHEN t.state IN ('disabled', 'replica') THEN format('ALTER TABLE %s ENABLE TRIGGER %I;', t.relation, t.trigger)
            WHEN t.state = 'stale' THEN format('SELECT feed.attach(%L, …); -- with key and board as its columns are called now', t.relation)
            WHEN t.state = 'missing' AND t.function = 'version_opportunity'
            THEN format('CREATE TRIGGER %I BEFORE UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION feed.version_opportunity();', t.trigger, t.relation)
            WHEN t.state = 'missing'
            THEN format('SELECT feed.attach(%L, key => %L%s%s);', t.relation,
                        -- A comma or a brace in a name is no separator.
                        CASE WHEN array_to_string(k.key, '') ~ '[^\w$]' THEN k.key::text ELSE array_to_string(k.key, ',') END, ', board => ' || quote_literal(k.board),
                        CASE WHEN k.left_out <> '{}' THEN ', "except" => ' || quote_literal(k.left_out::text) END)
       END AS cure
FROM told AS t
LEFT JOIN known AS k ON k.tgrelid = t.relation;
COMMENT ON VIEW feed.triggers IS 'The triggers of the feed on each fed table, those that are missing too, and what they cost.';
COMMENT ON COLUMN feed.triggers.relation IS 'The table';
COMMENT ON COLUMN feed.triggers.trigger IS 'Its name';
COMMENT ON COLUMN feed.triggers.state IS
    'on: for all writes but those under session_replication_role = replica; always: for those too; disabled, replica, missing: writes go past it; stale: a column that it was made with is gone, and writes fail';
COMMENT ON COLUMN feed.triggers.function IS 'What it calls, in schema feed';
COMMENT ON COLUMN feed.triggers.key IS 'The columns that name a row';
COMMENT ON COLUMN feed.triggers.board IS 'The column with the board whose readers are told; null: only LISTENers and the log are';
COMMENT ON COLUMN feed.triggers.left_out IS 'The columns that are not in the log';
COMMENT ON COLUMN feed.triggers.calls IS 'How often the function was called, for all tables together; counted while track_functions is pl or all, else null';
COMMENT ON COLUMN feed.triggers.us_per_call IS 'Microseconds of one call on the average, what it calls and the row of the log included';
COMMENT ON COLUMN feed.triggers.cure IS 'What makes it on again; null where it is';
