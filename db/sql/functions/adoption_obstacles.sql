-- Why a table cannot be the board. All reasons at once, so that all can be removed at once. Nothing is changed or locked.
CREATE FUNCTION feed.adoption_obstacles(target text, columns jsonb, users text, user_columns jsonb) RETURNS SETOF text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    cards regclass := feed.application_table(target);
    people regclass := coalesce(feed.application_table(users), (SELECT a.relation FROM feed.adopted AS a JOIN pg_class AS c ON c.oid = a.relation WHERE a.role = 'users'),
                                to_regclass('public.users'));
    earlier feed.adopted;
    attached regclass;
BEGIN
    SELECT a.* INTO earlier FROM feed.adopted AS a WHERE a.role = 'opportunities';
    IF cards IS NULL THEN
        RETURN NEXT format('there is no table %s', target);
    ELSIF earlier.relation <> cards AND EXISTS (SELECT FROM pg_class AS c WHERE c.oid = earlier.relation) THEN
        RETURN NEXT format('the board is table %s already, and there is one board per database. To make %s the board, remove boardcast with its log first: '
                           'boardcast migrate --down%s', earlier.relation, cards,
                           CASE WHEN earlier.created THEN format(', which drops %s, because boardcast created it', earlier.relation) ELSE '' END);
    ELSE
        RETURN QUERY SELECT feed.card_obstacles(cards, columns);
        IF earlier.relation IS NULL THEN
            SELECT a.relation INTO attached FROM feed.attached AS a
            WHERE a.relation = cards OR (a.schema_name, a.table_name) = ('public', 'opportunities') ORDER BY a.relation <> cards LIMIT 1;
            IF FOUND THEN
                RETURN NEXT format('table %s is attached, and the log would have the changes of two tables under one name: boardcast detach %1$s', attached);
            END IF;
        END IF;
    END IF;
    IF users IS NOT NULL AND people IS NULL THEN
        RETURN NEXT format('there is no table or view %s', users);
    ELSIF users IS NOT NULL THEN
        RETURN QUERY SELECT feed.user_obstacles(people, user_columns);
    ELSIF user_columns <> '{}' THEN
        RETURN NEXT 'columns of users are named, but no table of users';
    ELSE
        RETURN QUERY
        SELECT format('%s is owned by %s, so the services cannot be granted access: name another table or view of users, with boardcast adopt --users', people, quote_ident(pg_get_userbyid(c.relowner)))
        FROM pg_class AS c WHERE c.oid = people AND NOT pg_has_role(c.relowner, 'USAGE');
    END IF;
    RETURN QUERY
    SELECT format('table %s has a trigger %s of its own, and boardcast needs the name: ALTER TRIGGER %2$I ON %1$s RENAME TO another name', people, t.tgname)
    FROM pg_trigger AS t JOIN pg_proc AS p ON p.oid = t.tgfoid
    WHERE t.tgrelid = people AND t.tgname IN ('feed_forget_users', 'feed_forget_all_users') AND p.pronamespace <> 'feed'::regnamespace
      AND NOT EXISTS (SELECT FROM feed.adopted AS a WHERE a.relation = people);
    RETURN QUERY
    SELECT DISTINCT format('schema %s is owned by %s, so the services cannot be granted access to it: GRANT USAGE ON SCHEMA %1$s TO %3$I WITH GRANT OPTION',
                           quote_ident(n.nspname), quote_ident(pg_get_userbyid(n.nspowner)), current_user)
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.oid IN (cards, people) AND NOT has_schema_privilege(n.oid, 'USAGE WITH GRANT OPTION')
      AND NOT (has_schema_privilege('feed_app', n.oid, 'USAGE') AND has_schema_privilege('feed_listener', n.oid, 'USAGE'));
END
$$;
COMMENT ON FUNCTION feed.adoption_obstacles(text, jsonb, text, jsonb) IS
    'Why a table cannot be the board, with the arguments of feed.adopt; no row if it can. boardcast migrate --check shows them.';
