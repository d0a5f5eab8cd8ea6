-- One row for each trigger that exists or should exist: an attached table has all the triggers that feed.attach creates.
-- The tables that boards are made of are always expected to be attached, so they are reported even if they have lost all
-- their triggers.
CREATE VIEW feed.triggers AS
WITH ours AS (
    SELECT t.tgrelid, t.tgname::text AS name, t.tgenabled, t.tgargs, p.oid AS function, p.proname::text AS does,
           -- What makes it fire, and what it sees.
           concat_ws(' ', t.tgtype, t.tgoldtable, t.tgnewtable, CASE WHEN t.tgqual IS NOT NULL THEN 'WHEN' END,
                     CASE WHEN t.tgattr::text <> '' AND p.proname = 'capture' THEN 'OF' END) AS shape
    FROM pg_trigger AS t
    JOIN pg_proc AS p ON p.oid = t.tgfoid
    WHERE p.pronamespace = 'feed'::regnamespace AND NOT t.tgisinternal AND t.tgparentid = 0
), attached AS (
    SELECT tgrelid FROM ours WHERE does = 'capture'
    UNION
    SELECT c.oid FROM pg_class AS c
    WHERE c.oid IN (SELECT a.relation FROM feed.attached AS a
                    UNION ALL VALUES (feed.opportunities_table()), (to_regclass('feed.boards')), (to_regclass('feed.board_members')), (to_regclass('feed.flags')), (to_regclass('feed.opportunity_details')))
), wanted AS (
    SELECT f.tgrelid, w.name, w.does, w.shape
    FROM attached AS f
    CROSS JOIN (VALUES ('feed_capture_insert', 'capture', '4 new_rows'), ('feed_capture_update', 'capture', '16 old_rows new_rows'),
                       ('feed_capture_delete', 'capture', '8 old_rows'), ('feed_capture_truncate', 'capture', '32'),
                       ('feed_begin', 'begin_statement', '30')) AS w(name, does, shape)
    UNION ALL
    SELECT f.tgrelid, 'zz_feed_version', 'version_opportunity', '19' FROM attached AS f WHERE f.tgrelid = (SELECT feed.opportunities_table())
    UNION ALL
    SELECT c.oid, w.name, 'forget_users', w.shape
    FROM pg_class AS c CROSS JOIN (VALUES ('feed_forget_users', '8 old_rows'), ('feed_forget_all_users', '32')) AS w(name, shape)
    WHERE c.oid = (SELECT a.relation FROM feed.adopted AS a WHERE a.role = 'users') AND c.relkind IN ('r', 'p')
      AND (feed.user_columns()).key_column IS NOT NULL
), listed AS (
    SELECT coalesce(o.tgrelid, w.tgrelid)::regclass AS relation,
           coalesce(o.name, w.name) AS trigger,
           CASE WHEN o.does = 'capture' AND array_position(c.names, NULL) IS NOT NULL THEN 'stale'
                WHEN o.shape <> w.shape OR o.does <> w.does
                     OR o.does = 'capture' AND (a.key, coalesce(a.board, ''), a.excluded) <> (k.key, coalesce(k.board, ''), k.excluded) THEN 'altered'
                WHEN o.does = 'capture' AND c.names <> c.given THEN 'renamed'
                ELSE CASE o.tgenabled WHEN 'O' THEN 'on' WHEN 'A' THEN 'always' WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'replica'
                                        ELSE 'missing' END END AS state,
           coalesce(w.does, o.does) AS function,
           CASE o.does WHEN 'capture' THEN feed.current_columns(o.tgrelid, a.key) END AS key,
           CASE o.does WHEN 'capture' THEN (feed.current_columns(o.tgrelid, ARRAY[a.board]))[1] END AS board,
           CASE o.does WHEN 'capture' THEN array_remove(feed.current_columns(o.tgrelid, a.excluded), NULL) END AS excluded,
           s.calls, round((s.total_time / nullif(s.calls, 0) * 1000)::numeric, 1) AS us_per_call
    FROM ours AS o
    FULL JOIN wanted AS w ON w.tgrelid = o.tgrelid AND w.name = o.name
    LEFT JOIN feed.attached AS k ON k.relation = coalesce(o.tgrelid, w.tgrelid)
    CROSS JOIN LATERAL feed.trigger_arguments(o.tgargs) AS a
    -- An excluded column that was dropped does not matter.
    CROSS JOIN LATERAL (SELECT feed.current_columns(o.tgrelid, n.given) AS names, n.given
                        FROM (SELECT array_remove(a.board || a.key, NULL) || ARRAY(
                                  SELECT x FROM unnest(a.excluded) AS x WHERE (feed.current_columns(o.tgrelid, ARRAY[x]))[1] IS NOT NULL) AS given) AS n) AS c
    LEFT JOIN pg_stat_user_functions AS s ON s.funcid = o.function
)
SELECT t.*,
       CASE WHEN t.state IN ('disabled', 'replica') THEN format('ALTER TABLE %s ENABLE TRIGGER %I;', t.relation, t.trigger)
            WHEN t.state = 'stale' AND t.relation <> coalesce(feed.opportunities_table(), 0)
            THEN format('SELECT feed.attach(%L, ...); -- with another key or board column', t.relation)
            WHEN t.state IN ('missing', 'renamed', 'stale', 'altered') THEN 'SELECT feed.mend();'
       END AS fix
FROM listed AS t;
COMMENT ON VIEW feed.triggers IS 'The triggers of the feed on each attached table, including missing ones, and what they cost.';
COMMENT ON COLUMN feed.triggers.relation IS 'The table';
COMMENT ON COLUMN feed.triggers.trigger IS 'Name of the trigger';
COMMENT ON COLUMN feed.triggers.state IS
    'on: fires except under session_replication_role = replica; always: fires there too; renamed: a column named in feed.attach was renamed, and writes are logged correctly, if slowly; disabled, replica, missing: writes are not logged; stale: the key or board column was dropped, so writes are logged as a reload or without a board; altered: it fires for other writes, or calls feed.capture with other columns, than feed.attach specified';
COMMENT ON COLUMN feed.triggers.function IS 'Trigger function, in schema feed';
COMMENT ON COLUMN feed.triggers.key IS 'Key columns, with their present names; null for one that was dropped';
COMMENT ON COLUMN feed.triggers.board IS
    'Column with the board whose clients receive the change; null: only LISTEN and the log get it';
COMMENT ON COLUMN feed.triggers.excluded IS 'Columns that are not logged';
COMMENT ON COLUMN feed.triggers.calls IS
    'How often the function was called, for all tables together; null unless track_functions is pl or all';
COMMENT ON COLUMN feed.triggers.us_per_call IS
    'Average duration of a call in microseconds, including called functions and the insert into the log';
COMMENT ON COLUMN feed.triggers.fix IS 'Command that restores the trigger; null if it is on or always';
