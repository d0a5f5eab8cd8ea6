CREATE FUNCTION feed.mend_triggers() RETURNS SETOF text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    target regclass := feed.opportunities_table();
    users regclass := (SELECT c.oid FROM feed.adopted AS a JOIN pg_class AS c ON c.oid = a.relation WHERE a.role = 'users' AND c.relkind IN ('r', 'p'));
    user_key text := CASE WHEN users IS NOT NULL THEN (feed.user_columns()).key_column END;
    board_column text := coalesce((SELECT f.name FROM feed.field_columns() AS f WHERE f.field = 'board_id'), 'board_id');
    -- What the version trigger has to know, so that it does not read the catalog for each row.
    version_argument text := (SELECT concat_ws('+', CASE WHEN bool_or(a.attname = 'last_sync_at') THEN 'last_sync_at' END,
                                               CASE WHEN bool_or(a.attgenerated <> '') THEN 'generated' END)
                              FROM pg_attribute AS a WHERE a.attrelid = target AND a.attnum > 0 AND NOT a.attisdropped);
    each record;
BEGIN
    FOR each IN
        SELECT l.relation, feed.current_columns(l.relation, n.key) AS key, feed.current_columns(l.relation, ARRAY[n.board]) AS board,
               array_remove(feed.current_columns(l.relation, n.excluded), NULL) AS excluded, n.board IS NULL AS has_no_board
        FROM (SELECT t.relation FROM feed.triggers AS t WHERE t.function IN ('capture', 'begin_statement')
              GROUP BY t.relation HAVING bool_or(t.state IN ('missing', 'renamed', 'stale', 'altered'))) AS l
        LEFT JOIN feed.attached AS a ON a.relation = l.relation
        LEFT JOIN (VALUES (target, ARRAY[feed.single_key(target)], board_column), ('feed.boards', '{id}', 'id'),
                          ('feed.board_members', '{board_id,user_id}', 'board_id'), ('feed.flags', '{flag,scope,user_id}', NULL),
                          ('feed.opportunity_details', '{opportunity_id}', 'board_id')
                  ) AS d(relation, key, board) ON d.relation = l.relation
        -- A table that is not listed as attached, but has triggers.
        LEFT JOIN LATERAL (SELECT t.key, t.board, t.excluded FROM feed.triggers AS t
                           WHERE t.relation = l.relation AND t.function = 'capture' AND t.state <> 'stale' AND t.key <> '{}' LIMIT 1) AS t ON true
        CROSS JOIN LATERAL (SELECT coalesce(a.key, t.key, d.key) AS key, coalesce(a.excluded, t.excluded, '{}') AS excluded,
                                   CASE WHEN l.relation = target THEN board_column WHEN a.relation IS NOT NULL THEN a.board WHEN t.key IS NOT NULL THEN t.board ELSE d.board END AS board) AS n
        ORDER BY l.relation::oid
    LOOP
        -- If the key or the board was dropped, feed.health reports it, because the owner has to name another column.
        IF each.key <> '{}' AND array_position(each.key, NULL) IS NULL AND (each.board[1] IS NOT NULL OR each.has_no_board) THEN
            PERFORM feed.lock_tables(feed.application_tables());
            PERFORM feed.attach(each.relation, each.key::text, each.board[1], each.excluded);
            RETURN NEXT format('attached %s', each.relation);
        END IF;
    END LOOP;

    IF target IS NOT NULL AND (
        EXISTS (SELECT FROM feed.triggers AS t WHERE t.relation = target AND t.trigger = 'zz_feed_version' AND t.state = 'altered')
        OR NOT EXISTS (SELECT FROM pg_trigger AS t WHERE t.tgrelid = target AND t.tgname = 'zz_feed_version'
                       AND t.tgargs = convert_to(version_argument, 'SQL_ASCII') || '\x00')) THEN
        PERFORM feed.lock_tables(feed.application_tables());
        -- Last of the BEFORE triggers by name, so that it sees the changes that the application's own triggers make to the row.
        EXECUTE format('CREATE OR REPLACE TRIGGER zz_feed_version BEFORE UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION feed.version_opportunity(%L)',
                       target, version_argument);
        RETURN NEXT format('created trigger zz_feed_version on %s', target);
    END IF;
    IF user_key IS NOT NULL AND (
        EXISTS (SELECT FROM feed.triggers AS t WHERE t.relation = users AND t.function = 'forget_users' AND t.state IN ('missing', 'altered'))
        OR NOT EXISTS (SELECT FROM pg_trigger AS t WHERE t.tgrelid = users AND t.tgname = 'feed_forget_users'
                       AND t.tgargs = convert_to(user_key, getdatabaseencoding()) || '\x00')) THEN
        PERFORM feed.lock_tables(feed.application_tables());
        EXECUTE format('CREATE OR REPLACE TRIGGER feed_forget_users AFTER DELETE ON %s REFERENCING OLD TABLE AS old_rows '
                       'FOR EACH STATEMENT EXECUTE FUNCTION feed.forget_users(%L)', users, user_key);
        EXECUTE format('CREATE OR REPLACE TRIGGER feed_forget_all_users AFTER TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION feed.forget_users()', users);
        RETURN NEXT format('created trigger feed_forget_users on %s', users);
    END IF;
END
$$;
COMMENT ON FUNCTION feed.mend_triggers() IS
    'Attaches tables again that have lost triggers or whose columns were renamed, and creates the other triggers that are missing. Used by feed.mend.';
