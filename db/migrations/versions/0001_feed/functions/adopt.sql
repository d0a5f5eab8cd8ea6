-- Makes a table of the application the board, under the application's own names. Only the mapping is stored here. feed.mend() does
-- the rest: what is missing, the boards, the triggers, and the privileges. Calling it again changes the mapping; fields that are not
-- named stay as they are.
CREATE FUNCTION feed.adopt(target text, columns jsonb DEFAULT '{}', users text DEFAULT NULL, user_columns jsonb DEFAULT '{}') RETURNS SETOF text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    cards regclass := to_regclass(CASE WHEN cardinality(parse_ident(target)) = 1 THEN 'public.' || target ELSE target END);
    people regclass := to_regclass(CASE WHEN cardinality(parse_ident(users)) = 1 THEN 'public.' || users ELSE users END);
    earlier feed.adopted;
    before jsonb;
    was_attached regclass;
    problems text[] := '{}';
    message text;
    hint text;
BEGIN
    -- Two sessions would each see the other's mapping too late.
    LOCK TABLE feed.adopted IN SHARE ROW EXCLUSIVE MODE;
    SELECT a.* INTO earlier FROM feed.adopted AS a WHERE a.role = 'opportunities';
    IF cards IS NULL THEN
        problems := problems || format('there is no table %s', target);
    ELSIF earlier.relation <> cards AND EXISTS (SELECT FROM pg_class AS c WHERE c.oid = earlier.relation) THEN
        problems := problems || format('the board is table %s already, and there is one board per database. To make %s the board, remove boardcast with its log first: '
                                       'boardcast migrate --down%s', earlier.relation, cards,
                                       CASE WHEN earlier.created THEN format(', which drops %s, because boardcast created it', earlier.relation) ELSE '' END);
    ELSE
        BEGIN
            PERFORM feed.check_opportunities(cards);
        EXCEPTION WHEN invalid_table_definition OR wrong_object_type OR insufficient_privilege OR check_violation THEN
            GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
            problems := problems || concat_ws(': ', message, nullif(rtrim(hint, '.'), ''));
        END;
        problems := problems || ARRAY(SELECT feed.check_fields(cards, columns));
        IF earlier.relation IS NULL THEN
            SELECT a.relation INTO was_attached FROM feed.attached AS a
            WHERE a.relation = cards OR (a.schema_name, a.table_name) = ('public', 'opportunities') ORDER BY a.relation <> cards LIMIT 1;
            IF FOUND THEN
                problems := problems || format('table %s is attached, and the log would have the changes of two tables under one name: boardcast detach %1$s', was_attached);
            END IF;
        END IF;
    END IF;
    IF users IS NOT NULL THEN
        problems := problems || CASE WHEN people IS NULL THEN ARRAY[format('there is no table or view %s', users)]
                                     ELSE ARRAY(SELECT feed.check_users(people, user_columns)) END;
    ELSIF user_columns <> '{}' THEN
        problems := problems || 'columns of users are named, but no table of users'::text;
    END IF;
    problems := problems || ARRAY(
        SELECT DISTINCT format('schema %s is owned by %s, so the services cannot be granted access to it: GRANT USAGE ON SCHEMA %1$s TO %3$I WITH GRANT OPTION',
                               quote_ident(n.nspname), quote_ident(pg_get_userbyid(n.nspowner)), current_user)
        FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE c.oid IN (cards, people) AND NOT has_schema_privilege(n.oid, 'USAGE WITH GRANT OPTION')
          AND NOT (has_schema_privilege('feed_app', n.oid, 'USAGE') AND has_schema_privilege('feed_listener', n.oid, 'USAGE')));
    IF problems <> '{}' THEN
        RAISE EXCEPTION 'table % cannot be the board: %', target, array_to_string(problems, '; ')
            USING ERRCODE = 'invalid_table_definition', HINT = 'Nothing was changed. Write names of columns exactly as created, without quotes.';
    END IF;

    before := (SELECT jsonb_object_agg(f.field, f.name) FROM feed.field_columns() AS f);
    INSERT INTO feed.adopted AS a (role, relation, created, name, columns)
    SELECT n.role, n.relation, false, format('%I.%I', s.nspname, c.relname),
           (SELECT coalesce(jsonb_object_agg(g.key, jsonb_build_object('names', jsonb_build_array(g.value), 'number', t.attnum, 'table', t.attrelid::bigint)), '{}')
            FROM jsonb_each_text(n.columns) AS g JOIN pg_attribute AS t ON t.attrelid = n.relation AND t.attname = g.value)
    FROM (VALUES ('opportunities', cards, columns), ('users', people, user_columns)) AS n(role, relation, columns)
    JOIN pg_class AS c ON c.oid = n.relation
    JOIN pg_namespace AS s ON s.oid = c.relnamespace
    ON CONFLICT (role) DO UPDATE
    SET relation = excluded.relation, name = excluded.name, created = a.created AND a.relation = excluded.relation,
        -- The names that the column of a field has had, for what the log has under them.
        columns = CASE WHEN a.relation = excluded.relation OR a.role = 'opportunities' THEN a.columns ELSE '{}' END || (
            SELECT coalesce(jsonb_object_agg(e.key, e.value || jsonb_build_object('names', coalesce(
                (SELECT jsonb_agg(o.name) FROM jsonb_array_elements(a.columns -> e.key -> 'names') AS o(name) WHERE o.name <> e.value -> 'names' -> 0), '[]') || (e.value -> 'names'))), '{}')
            FROM jsonb_each(excluded.columns) AS e);
    IF earlier.relation = cards AND EXISTS (SELECT FROM jsonb_each_text(columns) AS c WHERE c.value IS DISTINCT FROM before ->> c.key) THEN
        RETURN QUERY SELECT feed.adopt_again(cards, before, columns ->> 'board_id');
    END IF;
    RETURN QUERY SELECT feed.mend();
END
$$;
COMMENT ON FUNCTION feed.adopt(text, jsonb, text, jsonb) IS
    'Makes a table the board, with the columns that it has for the fields of a card: feed.adopt(''crm.deals'', ''{"phase": "stage", "board_id": "pipeline_id"}'', users => ''auth.users'', user_columns => ''{"id": "id", "name": "email"}''). A field that is not named has the column of its own name. Returns what was done. boardcast adopt calls it.';
