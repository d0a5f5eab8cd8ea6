-- One row for each trigger that exists or should exist: an attached table has all the triggers that feed.attach creates.
-- The three tables of the application are always expected to be attached, so they are reported even if they have lost all
-- their triggers.
CREATE VIEW feed.triggers AS
WITH ours AS (
    SELECT t.tgrelid, t.tgname::text AS name, t.tgenabled, t.tgargs, p.oid AS function, p.proname::text AS does
    FROM pg_trigger AS t
    JOIN pg_proc AS p ON p.oid = t.tgfoid
    WHERE p.pronamespace = 'feed'::regnamespace AND NOT t.tgisinternal AND t.tgparentid = 0
), attached AS (
    SELECT tgrelid FROM ours WHERE does = 'capture'
    UNION
    SELECT c.oid FROM pg_class AS c
    WHERE c.oid IN (to_regclass('public.opportunities'), to_regclass('public.boards'), to_regclass('public.board_members'))
), wanted AS (
    SELECT f.tgrelid, w.name, w.does
    FROM attached AS f
    CROSS JOIN (VALUES ('feed_capture_insert', 'capture'), ('feed_capture_update', 'capture'), ('feed_capture_delete', 'capture'),
                       ('feed_capture_truncate', 'capture'), ('feed_guard_key', 'guard_key')) AS w(name, does)
    UNION ALL
    SELECT f.tgrelid, 'feed_name_author', 'name_author'
    FROM attached AS f
    JOIN pg_attribute AS a ON a.attrelid = f.tgrelid AND a.attname = 'last_modified_by' AND NOT a.attisdropped
    UNION ALL
    SELECT f.tgrelid, 'zz_feed_version', 'version_opportunity' FROM attached AS f WHERE f.tgrelid = to_regclass('public.opportunities')
), known AS (
    -- How the table is attached, according to its remaining triggers. For the three tables of the application, the original
    -- arguments are the fallback.
    SELECT DISTINCT ON (k.tgrelid) k.tgrelid, k.key, k.board, k.excluded
    FROM (SELECT o.tgrelid, a.key, a.board, a.excluded, 1 AS rank
          FROM ours AS o CROSS JOIN LATERAL feed.trigger_arguments(o.tgargs) AS a WHERE o.does = 'capture'
          UNION ALL
          SELECT to_regclass('public.' || c.name), c.key, c.board, '{}', 2
          FROM (VALUES ('opportunities', '{id}'::text[], 'board_id'), ('boards', '{id}', 'id'),
                       ('board_members', '{board_id,user_id}', 'board_id')) AS c(name, key, board)) AS k
    ORDER BY k.tgrelid, k.rank
), listed AS (
    SELECT coalesce(o.tgrelid, w.tgrelid)::regclass AS relation,
           coalesce(o.name, w.name) AS trigger,
           CASE WHEN o.does = 'capture' AND EXISTS (
                    SELECT FROM unnest(a.board || a.key || a.excluded) AS c(name)
                    WHERE c.name IS NOT NULL AND NOT EXISTS (
                        SELECT FROM pg_attribute AS n WHERE n.attrelid = o.tgrelid AND n.attname = c.name AND NOT n.attisdropped)) THEN 'stale'
                ELSE CASE o.tgenabled WHEN 'O' THEN 'on' WHEN 'A' THEN 'always' WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'replica'
                                        ELSE 'missing' END END AS state,
           coalesce(o.does, w.does) AS function,
           CASE o.does WHEN 'capture' THEN a.key END AS key,
           CASE o.does WHEN 'capture' THEN a.board END AS board,
           CASE o.does WHEN 'capture' THEN a.excluded END AS excluded,
           s.calls, round((s.total_time / nullif(s.calls, 0) * 1000)::numeric, 1) AS us_per_call
    FROM ours AS o
    FULL JOIN wanted AS w ON w.tgrelid = o.tgrelid AND w.name = o.name
    CROSS JOIN LATERAL feed.trigger_arguments(o.tgargs) AS a
    LEFT JOIN pg_stat_user_functions AS s ON s.funcid = o.function
)
SELECT t.*,
       CASE WHEN t.state IN ('disabled', 'replica') THEN format('ALTER TABLE %s ENABLE TRIGGER %I;', t.relation, t.trigger)
            WHEN t.state = 'stale' THEN format('SELECT feed.attach(%L, ...); -- with the current names of the key and board columns', t.relation)
            WHEN t.state = 'missing' AND t.function = 'version_opportunity'
            THEN format('CREATE TRIGGER %I BEFORE UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION feed.version_opportunity();', t.trigger, t.relation)
            WHEN t.state = 'missing'
            THEN format('SELECT feed.attach(%L, key => %L%s%s);', t.relation,
                        -- Array syntax if a name contains a character that would act as a separator.
                        CASE WHEN array_to_string(k.key, '') ~ '[^\w$]' THEN k.key::text ELSE array_to_string(k.key, ',') END, ', board => ' || quote_literal(k.board),
                        CASE WHEN k.excluded <> '{}' THEN ', exclude => ' || quote_literal(k.excluded::text) END)
       END AS fix
FROM listed AS t
LEFT JOIN known AS k ON k.tgrelid = t.relation;
COMMENT ON VIEW feed.triggers IS 'The triggers of the feed on each attached table, including missing ones, and what they cost.';
COMMENT ON COLUMN feed.triggers.relation IS 'The table';
COMMENT ON COLUMN feed.triggers.trigger IS 'Name of the trigger';
COMMENT ON COLUMN feed.triggers.state IS
    'on: fires except under session_replication_role = replica; always: fires there too; disabled, replica, missing: writes are not logged; stale: a column named in feed.attach no longer exists, so writes fail';
COMMENT ON COLUMN feed.triggers.function IS 'Trigger function, in schema feed';
COMMENT ON COLUMN feed.triggers.key IS 'Key columns';
COMMENT ON COLUMN feed.triggers.board IS
    'Column with the board whose clients receive the change; null: only LISTEN and the log get it';
COMMENT ON COLUMN feed.triggers.excluded IS 'Columns that are not logged';
COMMENT ON COLUMN feed.triggers.calls IS
    'How often the function was called, for all tables together; null unless track_functions is pl or all';
COMMENT ON COLUMN feed.triggers.us_per_call IS
    'Average duration of a call in microseconds, including called functions and the insert into the log';
COMMENT ON COLUMN feed.triggers.fix IS 'Command that restores the trigger; null if it is on or always';
