--
-- PostgreSQL database dump
--

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: feed; Type: SCHEMA; Schema: -; Owner: feed_owner
--

CREATE SCHEMA feed;

ALTER SCHEMA feed OWNER TO feed_owner;

--
-- Name: SCHEMA feed; Type: COMMENT; Schema: -; Owner: feed_owner
--

COMMENT ON SCHEMA feed IS 'boardcast: the log of changes, its triggers and its readers';

--
-- Name: adopt(text, jsonb, text, jsonb); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.adopt(target text, columns jsonb DEFAULT '{}'::jsonb, users text DEFAULT NULL::text, user_columns jsonb DEFAULT '{}'::jsonb) RETURNS SETOF text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
    RETURN QUERY SELECT feed.adopt_table(target, columns, users, user_columns);
    RETURN QUERY SELECT feed.mend();
END
$$;

ALTER FUNCTION feed.adopt(target text, columns jsonb, users text, user_columns jsonb) OWNER TO feed_owner;

--
-- Name: FUNCTION adopt(target text, columns jsonb, users text, user_columns jsonb); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.adopt(target text, columns jsonb, users text, user_columns jsonb) IS 'Uses a table as the board, and its columns as the fields of a card: feed.adopt(''crm.deals'', ''{"phase": "stage", "board_id": "pipeline_id"}'', users => ''auth.users'', user_columns => ''{"id": "id", "name": "email"}''). A field that is not named uses the column with the field''s own name. Returns what was done. boardcast adopt does this without making writers wait.';

--
-- Name: adopt_again(regclass, jsonb, text); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.adopt_again(target regclass, before jsonb, board_column text) RETURNS SETOF text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    index_schema text := (SELECT n.nspname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = target);
    key_column text := before ->> 'id';
BEGIN
    IF board_column IS DISTINCT FROM before ->> 'board_id' AND board_column IS NOT NULL THEN
        PERFORM feed.lock_tables(feed.application_tables());
        EXECUTE format('DROP INDEX IF EXISTS %I.feed_opportunities_board_id', index_schema);
        PERFORM feed.attach(target, ARRAY[key_column]::text, board_column);
    ELSE
        PERFORM feed.log_reload('opportunities', 'attach');
    END IF;
    RETURN NEXT format('changed the columns of %s; clients load their boards again', target);
END
$$;

ALTER FUNCTION feed.adopt_again(target regclass, before jsonb, board_column text) OWNER TO feed_owner;

--
-- Name: FUNCTION adopt_again(target regclass, before jsonb, board_column text); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.adopt_again(target regclass, before jsonb, board_column text) IS 'Applies other columns to a table that is the board already; before: those until now, by field. Used by feed.adopt.';

--
-- Name: adopt_table(text, jsonb, text, jsonb); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.adopt_table(target text, columns jsonb, users text, user_columns jsonb) RETURNS SETOF text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    cards regclass;
    before jsonb;
    was_adopted boolean;
BEGIN
    -- Two sessions would each see the other's mapping too late.
    LOCK TABLE feed.adopted IN SHARE ROW EXCLUSIVE MODE;
    PERFORM feed.require_adoptable(target, columns, users, user_columns);
    cards := feed.application_table(target);
    was_adopted := EXISTS (SELECT FROM feed.adopted AS a WHERE a.role = 'opportunities' AND a.relation = cards);
    before := (SELECT jsonb_object_agg(f.field, f.name) FROM feed.field_columns() AS f);
    PERFORM feed.note_adoption(cards, columns, feed.application_table(users), user_columns);
    IF was_adopted AND EXISTS (SELECT FROM jsonb_each_text(columns) AS c WHERE c.value IS DISTINCT FROM before ->> c.key) THEN
        RETURN QUERY SELECT feed.adopt_again(cards, before, columns ->> 'board_id');
    END IF;
    RETURN QUERY SELECT feed.mend_structure();
END
$$;

ALTER FUNCTION feed.adopt_table(target text, columns jsonb, users text, user_columns jsonb) OWNER TO feed_owner;

--
-- Name: FUNCTION adopt_table(target text, columns jsonb, users text, user_columns jsonb); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.adopt_table(target text, columns jsonb, users text, user_columns jsonb) IS 'Does what feed.adopt does, except for slow work such as the index. Raises an error with all obstacles. boardcast adopt calls it.';

--
-- Name: adoption_obstacles(text, jsonb, text, jsonb); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.adoption_obstacles(target text, columns jsonb, users text, user_columns jsonb) RETURNS SETOF text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
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
$_$;

ALTER FUNCTION feed.adoption_obstacles(target text, columns jsonb, users text, user_columns jsonb) OWNER TO feed_owner;

--
-- Name: FUNCTION adoption_obstacles(target text, columns jsonb, users text, user_columns jsonb); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.adoption_obstacles(target text, columns jsonb, users text, user_columns jsonb) IS 'Why a table cannot be the board, with the arguments of feed.adopt; no row if it can. boardcast migrate --check shows them.';

--
-- Name: all_partitions(oid); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.all_partitions(target oid) RETURNS regclass[]
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    RETURN (SELECT COALESCE(array_agg(p.relid ORDER BY (p.relid)::oid), '{}'::regclass[]) AS "coalesce" FROM pg_partition_tree((all_partitions.target)::regclass) p(relid, parentrelid, isleaf, level) WHERE (p.level > 0));

ALTER FUNCTION feed.all_partitions(target oid) OWNER TO feed_owner;

--
-- Name: FUNCTION all_partitions(target oid); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.all_partitions(target oid) IS 'Partitions of a table, at all levels.';

--
-- Name: application_table(text); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.application_table(name text) RETURNS regclass
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    SELECT to_regclass(CASE WHEN cardinality(parse_ident(name)) = 1 THEN 'public.' || name ELSE name END)
$$;

ALTER FUNCTION feed.application_table(name text) OWNER TO feed_owner;

--
-- Name: FUNCTION application_table(name text); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.application_table(name text) IS 'The table or view with this name, written as in SQL; without a schema, that in public. Null if there is none. Used by feed.adopt.';

--
-- Name: application_tables(); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.application_tables() RETURNS regclass[]
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    -- The table of the cards before that of the users, which it may reference: a writer locks them in this order.
    SELECT coalesce(array_agg(t.relation ORDER BY t.place, t.relation::oid), '{}')
    FROM (SELECT n.relation, min(n.place) AS place
          FROM (SELECT a.relation, CASE a.role WHEN 'opportunities' THEN 1 ELSE 3 END FROM feed.adopted AS a
                UNION ALL
                SELECT a.relation, 2 FROM feed.attached AS a
                UNION ALL
                -- Former tables of users. They are locked with the others, because a session that holds a lock must not wait for another.
                SELECT t.tgrelid, 3 FROM pg_trigger AS t WHERE t.tgfoid = to_regproc('feed.forget_users') AND t.tgparentid = 0) AS n(relation, place)
          JOIN pg_class AS c ON c.oid = n.relation
          WHERE c.relkind IN ('r', 'p') AND pg_has_role(c.relowner, 'USAGE')
          GROUP BY n.relation) AS t
$$;

ALTER FUNCTION feed.application_tables() OWNER TO feed_owner;

--
-- Name: FUNCTION application_tables(); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.application_tables() IS 'The tables on which boardcast has triggers, or will have. Used by feed.mend.';

--
-- Name: attach(regclass, text, text, text[]); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.attach(target regclass, key text DEFAULT NULL::text, board text DEFAULT NULL::text, exclude text[] DEFAULT '{}'::text[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
#variable_conflict use_variable
DECLARE
    excluded text[] := ARRAY(SELECT DISTINCT c FROM unnest(exclude) AS c ORDER BY 1);
    key_columns text[];
    arguments text;
    wrong text;
    earlier feed.attached;
    cards regclass;
    numbers jsonb; -- of the columns
    same_rows boolean;
    schema_name text;
    table_name text;
    replaced regclass;
    since bigint := 0;
    anew boolean := false;
    is_empty boolean;
    newest text;
    has_triggers boolean := EXISTS (
        SELECT FROM pg_trigger AS t
        WHERE t.tgrelid = target AND NOT t.tgisinternal AND t.tgname LIKE 'feed\_%' AND t.tgname NOT LIKE 'feed\_forget\_%');
BEGIN
    PERFORM feed.refuse(o.reason, o.hint, o.code) FROM feed.table_obstacles(target) AS o;
    cards := feed.opportunities_table();
    SELECT n.nspname, c.relname INTO schema_name, table_name
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = target;
    IF target <> cards AND (schema_name, table_name) = ('public', 'opportunities') THEN
        RAISE EXCEPTION 'table % cannot be attached: table % is logged under the name opportunities', target, cards
            USING ERRCODE = 'duplicate_table', HINT = 'Rename the table, and attach it then.';
    END IF;
    IF key IS NULL THEN
        SELECT array_agg(a.attname ORDER BY k.place) INTO key_columns
        FROM pg_index AS i
        CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k(attnum, place)
        JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
        WHERE i.indrelid = target AND i.indisprimary AND k.place <= i.indnkeyatts;
        IF key_columns IS NULL THEN
            RAISE EXCEPTION 'table % has no primary key, so its rows cannot be identified', target
                USING ERRCODE = 'invalid_table_definition', HINT = 'Add a primary key, or name a unique column with key => ''...''.';
        END IF;
    ELSIF EXISTS (SELECT FROM pg_attribute WHERE attrelid = target AND attname = key AND attnum > 0 AND NOT attisdropped) THEN
        key_columns := ARRAY[key];
    ELSIF key LIKE '{%}' THEN
        key_columns := key::text[]; -- for several columns with a comma or outer spaces in a name
    ELSE
        key_columns := ARRAY(SELECT btrim(part) FROM unnest(string_to_array(key, ',')) AS part);
    END IF;
    SELECT c.name INTO wrong FROM unnest(key_columns || board || excluded) AS c(name)
    WHERE c.name IS NOT NULL
      AND NOT EXISTS (SELECT FROM pg_attribute
                      WHERE attrelid = target AND attname = c.name AND attnum > 0 AND NOT attisdropped);
    IF FOUND THEN
        RAISE EXCEPTION 'table % has no column %', target, quote_ident(wrong) USING ERRCODE = 'undefined_column',
            HINT = 'Write names exactly as created, without quotes. The columns are: ' || (
                SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute
                WHERE attrelid = target AND attnum > 0 AND NOT attisdropped) || '.';
    END IF;
    PERFORM feed.refuse(o.reason, o.hint, o.code) FROM feed.key_obstacles(target, key_columns) AS o;
    -- Boards are read from the table as well as from the log, and memberships are taken from the log, so both must be
    -- complete.
    IF excluded <> '{}' AND target IN (cards, to_regclass('feed.boards'), to_regclass('feed.board_members'), to_regclass('feed.opportunity_details')) THEN
        RAISE EXCEPTION 'columns of table % cannot be excluded: boards are built from its rows in the log', target
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Call feed.attach without exclude.';
    END IF;
    -- A virtual column is computed when it is read. A trigger sees null, which would be logged as its value.
    excluded := ARRAY(SELECT DISTINCT c.name FROM unnest(excluded || ARRAY(
        SELECT attname::text FROM pg_attribute WHERE attrelid = target AND attgenerated = 'v' AND NOT attisdropped)) AS c(name) ORDER BY 1);
    SELECT c INTO wrong FROM unnest(excluded) AS c
    WHERE c = ANY (key_columns || coalesce(board, '')::text || '{version_number,last_modified_by}'::text[]) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'column % of table % cannot be excluded: the feed itself needs it', quote_ident(wrong), target
            USING ERRCODE = 'invalid_parameter_value', HINT = 'The key, the board, version_number and last_modified_by must be logged, so they can be neither excluded nor virtual columns.';
    END IF;

    SELECT jsonb_object_agg(a.attname, a.attnum) INTO numbers FROM pg_attribute AS a
    WHERE a.attrelid = target AND a.attname = ANY (key_columns || board || excluded) AND NOT a.attisdropped;
    SELECT a.* INTO earlier FROM feed.attached AS a WHERE a.relation = target;
    IF (earlier.schema_name, earlier.table_name, earlier.key, coalesce(earlier.board, ''), earlier.excluded, earlier.columns, earlier.numbered)
       = (schema_name, table_name, key_columns, coalesce(board, ''), excluded, numbers, target::oid)
       AND NOT EXISTS (SELECT FROM feed.attached_tables AS t WHERE t.relation = target AND t.state <> 'on')
       AND NOT EXISTS (SELECT FROM feed.triggers AS t WHERE t.relation = target AND t.state NOT IN ('on', 'always')
                                                        AND t.function IN ('capture', 'begin_statement')) THEN
        RETURN; -- whole, and attached like this: readers have nothing to load
    END IF;
    same_rows := (target = cards OR (earlier.schema_name, earlier.table_name) = (schema_name, table_name))
                 AND CASE WHEN earlier.numbered = target::oid
                          THEN ARRAY(SELECT earlier.columns -> k.name FROM unnest(earlier.key) AS k(name)) = ARRAY(SELECT numbers -> k.name FROM unnest(key_columns) AS k(name))
                          ELSE earlier.key = key_columns END;
    -- Dropping triggers takes the strongest lock, creating them does not keep out readers.
    PERFORM feed.lock_tables(n.targets, CASE WHEN earlier.relation IS NULL AND n.targets = ARRAY[target] AND NOT has_triggers THEN 'SHARE ROW EXCLUSIVE' ELSE 'ACCESS EXCLUSIVE' END)
    FROM (SELECT ARRAY[target] || ARRAY(SELECT a.relation FROM feed.attached AS a JOIN pg_class AS c ON c.oid = a.relation
                                        WHERE (a.schema_name, a.table_name) = (schema_name, table_name) AND a.relation <> target) AS targets) AS n;
    -- The table of the cards may have been renamed, and this table may have its name now. It stays attached.
    UPDATE feed.attached AS a SET schema_name = n.nspname, table_name = c.relname
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE a.relation = cards AND c.oid = cards AND target <> cards AND (a.schema_name, a.table_name) = (schema_name, table_name);
    -- Tables that had this name when they were attached, and were dropped or renamed since. A renamed one has kept its triggers,
    -- and would log its changes under the name that it has now.
    FOR replaced IN
        SELECT a.relation FROM feed.attached AS a
        WHERE (a.schema_name, a.table_name) = (schema_name, table_name) AND a.relation <> target
    LOOP
        PERFORM feed.detach(replaced);
        anew := true;
    END LOOP;
    IF earlier.relation IS NOT NULL OR has_triggers THEN
        PERFORM feed.detach(target);
    END IF;
    SELECT string_agg(quote_literal(a.value), ', ' ORDER BY a.place) INTO arguments
    FROM unnest(ARRAY[CASE WHEN target = cards THEN 'opportunities' ELSE '' END, coalesce(board, '')]
                || CASE WHEN cardinality(key_columns) = 1 AND excluded = '{}' THEN key_columns
                        ELSE ''::text || key_columns || CASE WHEN excluded <> '{}' THEN ''::text || excluded END END) WITH ORDINALITY AS a(value, place);

    EXECUTE format('CREATE TRIGGER feed_begin BEFORE INSERT OR UPDATE OR DELETE ON %s FOR EACH STATEMENT '
                   'EXECUTE FUNCTION feed.begin_statement()', target);
    EXECUTE format('CREATE TRIGGER feed_capture_insert AFTER INSERT ON %s REFERENCING NEW TABLE AS new_rows '
                   'FOR EACH STATEMENT EXECUTE FUNCTION feed.capture(%s)', target, arguments);
    EXECUTE format('CREATE TRIGGER feed_capture_update AFTER UPDATE ON %s REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows '
                   'FOR EACH STATEMENT EXECUTE FUNCTION feed.capture(%s)', target, arguments);
    EXECUTE format('CREATE TRIGGER feed_capture_delete AFTER DELETE ON %s REFERENCING OLD TABLE AS old_rows '
                   'FOR EACH STATEMENT EXECUTE FUNCTION feed.capture(%s)', target, arguments);
    EXECUTE format('CREATE TRIGGER feed_capture_truncate AFTER TRUNCATE ON %s '
                   'FOR EACH STATEMENT EXECUTE FUNCTION feed.capture(%s)', target, arguments);
    EXECUTE format('SELECT NOT EXISTS (SELECT FROM %s)', target) INTO is_empty;
    newest := (SELECT CASE WHEN a.atttypid = 'uuid'::regtype THEN '00000000-0000-0000-0000-000000000000' ELSE '-9223372036854775808' END
               FROM pg_attribute AS a WHERE a.attrelid = target AND ARRAY[a.attname::text] = key_columns AND a.atttypid = ANY ('{int2,int4,int8,uuid}'::regtype[]));
    IF newest IS NOT NULL AND NOT is_empty THEN
        -- ORDER BY without t would mean the text.
        EXECUTE format('SELECT t.%1$I::text FROM %2$s AS t ORDER BY t.%1$I DESC LIMIT 1', key_columns[1], target) INTO newest;
    END IF;
    -- Readers that hold rows of this table, or of an earlier one with its name, load it again.
    IF anew OR earlier.relation IS NOT NULL OR EXISTS (SELECT FROM feed.log AS l WHERE l.relation = feed.relation_name(target)) THEN
        since := feed.log_reload(feed.relation_name(target), 'attach');
    END IF;
    -- If the same table was attached before, with the same key, the original attachment counts: what was written in between is missing from the
    -- log, and verify should find it. Otherwise it counts from when the lock was acquired: until then other transactions
    -- may have written, even ones with a later ID than this one, which may have started long before.
    IF same_rows IS NOT TRUE THEN
        IF (earlier.schema_name, earlier.table_name) <> (schema_name, table_name) AND target IS DISTINCT FROM cards THEN
            PERFORM feed.log_reload(CASE WHEN earlier.schema_name = 'public' AND earlier.table_name <> 'opportunities' AND strpos(earlier.table_name, 'feed.') <> 1 THEN earlier.table_name
                                                             ELSE earlier.schema_name || '.' || earlier.table_name END, 'attach');
        END IF;
        earlier := NULL;
    END IF;
    INSERT INTO feed.attached (relation, schema_name, table_name, key, board, excluded, columns, numbered, layouts, partitions, seq, was_empty, newest_key, xid, attached_at, attached_by)
    VALUES (target, schema_name, table_name, key_columns, board, excluded, numbers, coalesce(earlier.numbered, target), coalesce(earlier.layouts, '[]'), feed.all_partitions(target), coalesce(earlier.seq, since), coalesce(earlier.was_empty, is_empty),
            CASE WHEN earlier.relation IS NULL THEN newest ELSE earlier.newest_key END, coalesce(earlier.xid, greatest(pg_current_xact_id(), (pg_snapshot_xmax(pg_current_snapshot())::text::bigint - 1)::text::xid8)),
            coalesce(earlier.attached_at, clock_timestamp()), coalesce(earlier.attached_by, session_user));
    PERFORM feed.note_layouts();
    UPDATE feed.attached AS a SET numbered = target WHERE a.relation = target AND a.numbered <> target;
END
$_$;

ALTER FUNCTION feed.attach(target regclass, key text, board text, exclude text[]) OWNER TO feed_owner;

--
-- Name: FUNCTION attach(target regclass, key text, board text, exclude text[]); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.attach(target regclass, key text, board text, exclude text[]) IS 'Attaches a table to the feed: feed.attach(''public.tasks'', key => ''id'', board => ''board_id'', exclude => ''{password_hash}''). key defaults to the primary key; separate several columns with commas, or pass an array such as ''{a,"b,c"}''. Without a board column, changes reach only LISTEN and the log. Excluded and virtual columns are not logged, and a change to these alone is not logged either.';

--
-- Name: attach_command(text, text[], text, text[]); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.attach_command(target text, key text[], board text, excluded text[]) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    RETURN format('SELECT feed.attach(%L, key => %L%s%s);'::text, target, CASE WHEN (array_to_string(key, ''::text) ~ '[^\w$]'::text) THEN (key)::text ELSE array_to_string(key, ','::text) END, (', board => '::text || quote_literal(board)), CASE WHEN (excluded <> '{}'::text[]) THEN (', exclude => '::text || quote_literal((excluded)::text)) ELSE NULL::text END);

ALTER FUNCTION feed.attach_command(target text, key text[], board text, excluded text[]) OWNER TO feed_owner;

--
-- Name: FUNCTION attach_command(target text, key text[], board text, excluded text[]); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.attach_command(target text, key text[], board text, excluded text[]) IS 'The command that attaches a table with these columns, ready to paste. Used by feed.triggers and feed.attached_tables.';

--
-- Name: begin_statement(); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.begin_statement() RETURNS trigger
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    nothing text;
BEGIN
    -- Assignments, because PERFORM would be a query. Few functions in each, because each that is named costs something even if it is
    -- not called.
    IF pg_catalog.current_setting('feed.open', true) OPERATOR(pg_catalog.<>) '' THEN
        nothing := pg_catalog.set_config('feed.open',
            pg_catalog.concat('|', TG_RELID, pg_catalog.left(TG_OP, 1), pg_catalog.current_setting('feed.open', true)), true);
    ELSE
        nothing := pg_catalog.set_config('feed.open', '|', true);
    END IF;
    RETURN NULL;
END
$$;

ALTER FUNCTION feed.begin_statement() OWNER TO feed_owner;

--
-- Name: FUNCTION begin_statement(); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.begin_statement() IS 'Trigger of an attached table: notes that a statement runs, so that feed.capture can sort what its triggers write.';

--
-- Name: board_index(); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.board_index() RETURNS SETOF text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    target regclass := feed.opportunities_table();
    board_column text := (SELECT f.name FROM feed.field_columns() AS f WHERE f.field = 'board_id');
    partitioned boolean := (SELECT c.relkind = 'p' FROM pg_class AS c WHERE c.oid = target);
    found record;
BEGIN
    SELECT c.oid::regclass AS index, i.indisvalid AS valid INTO found FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
    WHERE i.indrelid = target AND c.relname = 'feed_opportunities_board_id';
    -- An index that another session is creating is left to it.
    IF board_column IS NULL OR found.valid OR EXISTS (SELECT FROM pg_stat_progress_create_index AS p WHERE p.relid = target) THEN
        RETURN;
    END IF;
    IF found.index IS NOT NULL THEN
        RETURN NEXT format('DROP INDEX %s%s;', CASE WHEN NOT partitioned THEN 'CONCURRENTLY ' END, found.index);
    END IF;
    IF NOT partitioned THEN
        RETURN NEXT format('CREATE INDEX CONCURRENTLY feed_opportunities_board_id ON %s (%I);', target, board_column);
        RETURN;
    END IF;
    FOR found IN
        SELECT p.relid AS partition, 'feed_board_id_' || p.relid::oid AS name, to_regclass(format('%I.%I', n.nspname, 'feed_board_id_' || p.relid::oid)) AS index,
               (SELECT i.indisvalid FROM pg_index AS i JOIN pg_class AS x ON x.oid = i.indexrelid WHERE i.indrelid = p.relid AND x.relname = 'feed_board_id_' || p.relid::oid) AS valid
        FROM pg_partition_tree(target) AS p JOIN pg_class AS c ON c.oid = p.relid JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE p.isleaf AND c.relkind = 'r'
        ORDER BY p.relid::oid
    LOOP
        IF found.valid IS FALSE THEN
            RETURN NEXT format('DROP INDEX CONCURRENTLY %s;', found.index);
        END IF;
        IF found.valid IS NOT TRUE THEN
            RETURN NEXT format('CREATE INDEX CONCURRENTLY %I ON %s (%I);', found.name, found.partition, board_column);
        END IF;
    END LOOP;
    RETURN NEXT format('SELECT feed.lock_tables(ARRAY[%L::regclass], ''SHARE''); CREATE INDEX feed_opportunities_board_id ON %s (%I);', target, target, board_column);
END
$$;

ALTER FUNCTION feed.board_index() OWNER TO feed_owner;

--
-- Name: FUNCTION board_index(); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.board_index() IS 'The commands that create the index on the board column of the opportunities beside writers; no row if it is there. boardcast migrate runs them.';

--
-- Name: capture(); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.capture() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'feed', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    SET "DateStyle" TO 'ISO, YMD'
    SET "IntervalStyle" TO 'postgres'
    SET bytea_output TO 'hex'
    SET extra_float_digits TO '1'
    SET lc_monetary TO 'C'
    SET quote_all_identifiers TO 'off'
    AS $_$
-- An attached table may have columns named like the variables below. No expression here refers to such a column by its bare
-- name, so a bare name is always the variable.
#variable_conflict use_variable
DECLARE
    -- The cards are logged under one name, whatever the application calls its table. No other table is logged under that name, nor
    -- under that of a table in feed, whatever its owner calls it. As feed.relation_name().
    relation_name text := TG_ARGV[0];
    board_column text := TG_ARGV[1];
    key_column text := TG_ARGV[2]; -- '' if the key has several columns, or columns are excluded
    -- Read with a function, because a query costs eight times as much.
    suppressed_until bigint := pg_sequence_last_value('feed.notify_suppressed_until');
    sends_notify boolean := true;
    open_statements text := current_setting('feed.open', true); -- see feed.begin_statement
    statement text;
    set_part text; -- what stands in front of WHERE
    named boolean; -- whether the statement sets last_modified_by; null if not
    own_entry text; -- a pattern
    entry text;
    nothing text; -- takes what a function returns, in assignments that would be queries with PERFORM
    logged bigint;
    written bigint := 0;
BEGIN
    IF relation_name = '' THEN
        relation_name := CASE WHEN TG_TABLE_SCHEMA = 'public' AND TG_TABLE_NAME <> 'opportunities' AND strpos(TG_TABLE_NAME, 'feed.') <> 1 THEN TG_TABLE_NAME
                              ELSE TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME END;
    END IF;
    IF suppressed_until > 0 THEN
        -- No NOTIFY while the pacer reads the log. A value further ahead than any pacer sets it (a second) is ignored, because the
        -- server's clock was set back. But a value that no clock reaches means that NOTIFY is switched off.
        sends_notify := width_bucket(suppressed_until - date_part('epoch', clock_timestamp()) * 1000, '{0,1000,4e15}') NOT IN (1, 3);
    END IF;
    IF current_setting('synchronous_commit') = 'off' THEN
        -- Readers may see this row as soon as it is committed, so a crash must not be able to undo the commit.
        nothing := set_config('synchronous_commit', 'local', true);
    END IF;
    IF open_statements = '|' THEN -- usually this statement is the only one
        nothing := set_config('feed.open', '', true);
    ELSIF open_statements LIKE '|%' THEN
        own_entry := '[|]' || TG_RELID || left(TG_OP, 1) || '[^|]*';
        IF open_statements !~ own_entry THEN
            own_entry := '[|](?![0-9])[^|]*';
        END IF;
        entry := substring(open_statements FROM own_entry);
        logged := coalesce(pg_sequence_last_value('feed.log_seq'), 0);
    END IF;

    -- Fast paths for one row that stays on its board, as in almost every INSERT and UPDATE. They need no join, and each is one
    -- statement, because each PL/pgSQL expression costs a snapshot. Each function and operator that is named costs something too, even
    -- if it is not called: it is looked up, and checked for EXECUTE. Everything else is left to the block below, which could handle
    -- these cases too.
    IF TG_OP = 'UPDATE' THEN
        -- last_modified_by still holds the author of the previous change if the statement does not set it.
        statement := ltrim(lower(current_query() COLLATE "C"), E' \n\t');
        IF entry IS NULL AND pg_trigger_depth() = 1 AND statement LIKE 'update%' AND strpos(statement, TG_TABLE_NAME) > 0 THEN
            IF statement LIKE E'%last\\_modified\\_by%' THEN
                -- Most statements that have the column's name set it, and have nothing else that could be mistaken.
                set_part := split_part(statement, ' where ', 1);
                named := set_part LIKE E'%last\\_modified\\_by%' AND set_part !~ E'[''"\t\n;]|select|where|returning' AND statement NOT LIKE '_%update %';
                IF NOT named THEN
                    named := feed.names_author(statement, TG_TABLE_SCHEMA, TG_TABLE_NAME);
                END IF;
            END IF;
        ELSE
            named := feed.names_author(NULL, TG_TABLE_SCHEMA, TG_TABLE_NAME);
        END IF;
        INSERT INTO feed.log (relation, op, key, board, old, new, version, parents,
                              actor, origin, db_user, application, client_addr, pid, notified)
        SELECT relation_name, 'update', r.key, r.board, r.before, r.after,
               r.version::integer, nullif(current_setting('feed.parents', true), '')::integer[],
               coalesce(nullif(current_setting('feed.actor', true), ''),
                        CASE WHEN named OR r.before ->> 'last_modified_by' IS DISTINCT FROM r.author THEN r.author END, r.db_user),
               nullif(current_setting('feed.origin', true), ''),
               r.db_user, current_setting('application_name'), inet_client_addr(), pg_backend_pid(), sends_notify
        FROM (SELECT i.before, i.after, i.after ->> key_column AS key, i.after ->> board_column AS board, session_user::text AS db_user,
                     i.after -> 'version_number' AS version, i.after ->> 'last_modified_by' AS author
              FROM (SELECT feed.row_image(o.*) AS before, feed.row_image(n.*) AS after
                    FROM old_rows AS o CROSS JOIN new_rows AS n
                    WHERE (SELECT true FROM old_rows OFFSET 1 LIMIT 1) IS NULL OFFSET 0) AS i OFFSET 0) AS r
        WHERE r.before ->> key_column = r.key AND r.before <> r.after
          AND greatest(pg_column_size(r.before), pg_column_size(r.after)) < 1500
          AND (r.before ->> board_column = r.board OR board_column = '') AND (r.version > '1' AND r.version <= '2147483647') IS NOT FALSE;
        GET DIAGNOSTICS written = ROW_COUNT;
    ELSIF TG_OP = 'INSERT' THEN
        INSERT INTO feed.log (relation, op, key, board, new, version, parents,
                              actor, origin, db_user, application, client_addr, pid, notified)
        SELECT relation_name, 'insert', r.key, r.board, r.after,
               r.version::integer, nullif(current_setting('feed.parents', true), '')::integer[],
               coalesce(nullif(current_setting('feed.actor', true), ''), r.after ->> 'last_modified_by', session_user),
               nullif(current_setting('feed.origin', true), ''),
               session_user, current_setting('application_name'), inet_client_addr(), pg_backend_pid(), sends_notify
        FROM (SELECT i.after, i.after ->> key_column AS key, i.after ->> board_column AS board, i.after -> 'version_number' AS version
              FROM (SELECT feed.row_image(n.*) AS after FROM new_rows AS n
                    WHERE (SELECT true FROM new_rows OFFSET 1 LIMIT 1) IS NULL OFFSET 0) AS i OFFSET 0) AS r
        WHERE r.key IS NOT NULL AND (r.board IS NOT NULL OR board_column = '')
          AND pg_column_size(r.after) < 1500 AND (r.version >= '0' AND r.version <= '2147483647') IS NOT FALSE;
        GET DIAGNOSTICS written = ROW_COUNT;
    END IF;

    IF written = 0 THEN
        DECLARE
            key_columns text[] := CASE WHEN key_column = '' THEN TG_ARGV[3:] ELSE ARRAY[key_column] END;
            excluded text[];
            db_user text := session_user;
            pid integer := pg_backend_pid();
            declared_actor text := nullif(current_setting('feed.actor', true), '');
            declared_origin text := nullif(current_setting('feed.origin', true), '');
            declared_parents integer[] := nullif(current_setting('feed.parents', true), '')::integer[];
            application text := current_setting('application_name');
            address inet := inet_client_addr();
            unsafe record;
            restarts boolean := current_setting('feed.version_restarts', true) = 'on'; -- see feed.version_opportunity
        BEGIN
            IF key_column = '' AND '' = ANY (key_columns) THEN
                excluded := key_columns[array_position(key_columns, '') + 1:];
                -- They must not reach the log, also after they were renamed.
                excluded := excluded || array_remove(feed.current_columns(TG_RELID, excluded), NULL);
                key_columns := key_columns[:array_position(key_columns, '') - 1];
            END IF;
            IF TG_OP = 'UPDATE' THEN
                WITH before AS (
                    SELECT r.data, r.stored, coalesce(r.data ->> board_column, CASE WHEN board_column <> '' THEN
                               feed.missing_column(TG_RELID, r.data, ARRAY[board_column]) END) AS board,
                           coalesce(CASE WHEN key_column = '' THEN feed.row_key(r.data, key_columns) ELSE r.data ->> key_column END,
                                    feed.missing_column(TG_RELID, r.data, key_columns)) AS key
                    FROM (SELECT CASE WHEN true THEN o.* END AS stored,
                                 CASE WHEN excluded IS NULL THEN feed.row_image(o.*) ELSE feed.row_image(o.*) - excluded END AS data
                          FROM old_rows AS o OFFSET 0) AS r
                    WHERE r.data IS NOT NULL OFFSET 0
                ), after AS (
                    SELECT r.data, r.stored, coalesce(r.data ->> board_column, CASE WHEN board_column <> '' THEN
                               feed.missing_column(TG_RELID, r.data, ARRAY[board_column]) END) AS board,
                           coalesce(CASE WHEN key_column = '' THEN feed.row_key(r.data, key_columns) ELSE r.data ->> key_column END,
                                    feed.missing_column(TG_RELID, r.data, key_columns)) AS key
                    FROM (SELECT CASE WHEN true THEN n.* END AS stored,
                                 CASE WHEN excluded IS NULL THEN feed.row_image(n.*) ELSE feed.row_image(n.*) - excluded END AS data
                          FROM new_rows AS n OFFSET 0) AS r
                    WHERE r.data IS NOT NULL OFFSET 0
                )
                INSERT INTO feed.log (relation, op, key, board, old, new, delta, image_hash, version, parents,
                                      actor, origin, db_user, application, client_addr, pid, notified, image_bytes)
                SELECT relation_name, CASE WHEN c.key IS NULL THEN 'reload' ELSE c.op END, c.key,
                       CASE WHEN c.op IN ('leave', 'delete') THEN c.board_before ELSE c.board_after END,
                       CASE WHEN (c.compact).delta IS NULL THEN c.before ELSE (c.compact).old END,
                       CASE WHEN (c.compact).delta IS NULL THEN c.after ELSE (c.compact).new END, (c.compact).delta, (c.compact).image_hash,
                       CASE WHEN c.version >= '0' AND c.version <= '2147483647' THEN c.version::integer END, declared_parents,
                       coalesce(declared_actor, CASE WHEN named OR c.before ->> 'last_modified_by' IS DISTINCT FROM c.after ->> 'last_modified_by'
                                               THEN c.after ->> 'last_modified_by' END, db_user), declared_origin,
                       db_user, application, address, pid, sends_notify,
                       CASE WHEN (c.compact).delta IS NOT NULL THEN (c.compact).image_bytes WHEN c.bytes > 65536 THEN c.bytes END
                FROM (
                    SELECT s.*, coalesce(s.after, s.before) -> 'version_number' AS version,
                           -- Changes that are nested are sorted later, so the one before is not known yet. The services read single
                           -- columns of the tables in feed.
                           CASE WHEN (s.bytes >= 1500 OR s.looks_same) AND s.op IN ('update', 'leave', 'enter') AND TG_TABLE_SCHEMA <> 'feed' AND (entry LIKE '%:%') IS NOT TRUE
                                THEN feed.compact_change(TG_RELID, relation_name, s.op, s.key, s.before, s.after) END AS compact
                    FROM (
                        SELECT before.data AS before, after.data AS after, before.board AS board_before, after.board AS board_after, feed.short_key(key) AS key,
                               greatest(pg_column_size(before.data), pg_column_size(after.data)) AS bytes,
                               -- Two different values may have the same JSON, such as 0 and -0.
                               CASE WHEN before.data IS DISTINCT FROM after.data THEN false WHEN excluded IS NULL AND before.stored *<> after.stored THEN true END AS looks_same,
                               -- A row that changes its board leaves one and enters the other. Each has its own readers, so there are two
                               -- log rows, in this order.
                               unnest(CASE WHEN before.data IS NULL THEN '{insert}'::text[]
                                           WHEN after.data IS NULL THEN '{delete}'
                                           WHEN before.board IS DISTINCT FROM after.board OR restarts AND after.data ->> 'version_number' = '1' THEN '{leave,enter}'
                                           ELSE '{update}' END) AS op
                        FROM before FULL JOIN after USING (key)
                        OFFSET 0) AS s
                    WHERE s.looks_same IS NOT NULL OFFSET 0) AS c;
                nothing := CASE WHEN restarts THEN set_config('feed.version_restarts', '', true) END;
            ELSIF TG_OP = 'INSERT' THEN
                INSERT INTO feed.log (relation, op, key, board, new, version, parents,
                                      actor, origin, db_user, application, client_addr, pid, notified, image_bytes)
                SELECT relation_name, CASE WHEN r.key IS NULL THEN 'reload' ELSE 'insert' END, feed.short_key(r.key),
                       coalesce(r.data ->> board_column,
                                CASE WHEN board_column <> '' THEN feed.missing_column(TG_RELID, r.data, ARRAY[board_column]) END), r.data,
                       feed.version_number(r.data), declared_parents,
                       coalesce(declared_actor, r.data ->> 'last_modified_by', db_user), declared_origin,
                       db_user, application, address, pid, sends_notify,
                       nullif(greatest(pg_column_size(r.data), 65536), 65536)
                FROM (SELECT i.data, coalesce(CASE WHEN key_column = '' THEN feed.row_key(i.data, key_columns) ELSE i.data ->> key_column END,
                                              feed.missing_column(TG_RELID, i.data, key_columns)) AS key
                      FROM (SELECT CASE WHEN excluded IS NULL THEN feed.row_image(n.*) ELSE feed.row_image(n.*) - excluded END AS data
                            FROM new_rows AS n OFFSET 0) AS i
                      WHERE i.data IS NOT NULL OFFSET 0) AS r;
            ELSIF TG_OP = 'DELETE' THEN
                -- last_modified_by names the author of the previous change, not of the deletion.
                INSERT INTO feed.log (relation, op, key, board, old, version,
                                      actor, origin, db_user, application, client_addr, pid, notified)
                SELECT relation_name, CASE WHEN r.key IS NULL THEN 'reload' ELSE 'delete' END, feed.short_key(r.key),
                       coalesce(r.data ->> board_column,
                                CASE WHEN board_column <> '' THEN feed.missing_column(TG_RELID, r.data, ARRAY[board_column]) END), r.data,
                       feed.version_number(r.data),
                       coalesce(declared_actor, db_user), declared_origin,
                       db_user, application, address, pid, sends_notify
                FROM (SELECT i.data, coalesce(CASE WHEN key_column = '' THEN feed.row_key(i.data, key_columns) ELSE i.data ->> key_column END,
                                              feed.missing_column(TG_RELID, i.data, key_columns)) AS key
                      FROM (SELECT CASE WHEN excluded IS NULL THEN feed.row_image(o.*) ELSE feed.row_image(o.*) - excluded END AS data
                            FROM old_rows AS o OFFSET 0) AS i
                      WHERE i.data IS NOT NULL OFFSET 0) AS r;
            ELSE
                INSERT INTO feed.log (relation, op, actor, origin, db_user, application, client_addr, pid, notified)
                VALUES (relation_name, 'truncate', coalesce(declared_actor, db_user), declared_origin,
                        db_user, application, address, pid, sends_notify);
            END IF;
            GET DIAGNOSTICS written = ROW_COUNT;

            -- to_jsonb could not convert some rows, which were left out. All are logged again, one by one.
            IF current_setting('feed.unsafe', true) = 'on' THEN
                IF written > 0 THEN
                    DELETE FROM feed.log AS l
                    WHERE l.xid = pg_current_xact_id() AND l.cmin = (SELECT c.cmin FROM feed.log AS c WHERE c.xid = pg_current_xact_id()
                                                                     ORDER BY c.seq DESC LIMIT 1);
                    written := 0;
                END IF;
                key_columns := feed.current_columns(TG_RELID, key_columns);
                FOR unsafe IN EXECUTE feed.unsafe_rows(TG_RELID, TG_OP, key_columns, excluded) LOOP
                    written := written + feed.log_change(TG_RELID, relation_name, board_column, key_columns, unsafe.before, unsafe.after,
                                                         named OR TG_OP = 'INSERT', (entry LIKE '%:%') IS TRUE, sends_notify);
                END LOOP;
                PERFORM set_config('feed.unsafe', '', true);
            END IF;
        END;
    END IF;

    IF entry IS NOT NULL THEN
        IF written > 0 AND entry LIKE '%:%' THEN
            PERFORM feed.sort_nested(relation_name, substring(entry FROM ':([0-9]{1,18})')::bigint, logged);
        END IF;
        open_statements := regexp_replace(open_statements, own_entry, '');
        -- What was logged here was logged while the statements ran that are still open.
        PERFORM set_config('feed.open', CASE WHEN written = 0 THEN open_statements
            ELSE regexp_replace(open_statements, '([|]([0-9]+[A-Z])?)(?=[|]|$)', '\1:' || logged, 'g') END, true);
    END IF;

    -- Without a payload, so that PostgreSQL sends one NOTIFY for all writes of the transaction.
    nothing := CASE WHEN sends_notify AND written > 0 THEN pg_notify('boardcast', '') END;
    RETURN NULL;
END
$_$;

ALTER FUNCTION feed.capture() OWNER TO feed_owner;

--
-- Name: FUNCTION capture(); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.capture() IS 'Trigger of an attached table: logs the changes of the statement in feed.log and sends NOTIFY. See feed.attach.';

SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: opportunity_details; Type: TABLE; Schema: feed; Owner: feed_owner
--

CREATE TABLE feed.opportunity_details (
    opportunity_id text NOT NULL,
    board_id text NOT NULL,
    closed_phase text,
    closed_at timestamp with time zone,
    close_reason text,
    next_activity text,
    next_activity_date date,
    version_number integer DEFAULT 1 NOT NULL,
    CONSTRAINT opportunity_details_closed CHECK ((((closed_phase IS NULL) = (closed_at IS NULL)) AND ((close_reason IS NULL) OR (closed_at IS NOT NULL))))
);

ALTER TABLE feed.opportunity_details OWNER TO feed_owner;

--
-- Name: TABLE opportunity_details; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON TABLE feed.opportunity_details IS 'What boards know of opportunities beyond the columns of their table: when and why one was won or lost, and what is to be done next. Opportunities without any of these have no row.';

--
-- Name: COLUMN opportunity_details.opportunity_id; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.opportunity_details.opportunity_id IS 'The opportunity, as feed.log.key';

--
-- Name: COLUMN opportunity_details.board_id; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.opportunity_details.board_id IS 'Its board, whose clients receive the change';

--
-- Name: COLUMN opportunity_details.closed_phase; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.opportunity_details.closed_phase IS 'The stage, of kind won or lost, that it is in; null: it is open. See feed.note_closings.';

--
-- Name: COLUMN opportunity_details.closed_at; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.opportunity_details.closed_at IS 'When it entered that stage; null: it is open';

--
-- Name: COLUMN opportunity_details.close_reason; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.opportunity_details.close_reason IS 'Why it was won or lost; null: no reason was given. Cleared when it leaves the stage.';

--
-- Name: COLUMN opportunity_details.next_activity; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.opportunity_details.next_activity IS 'What is to be done next';

--
-- Name: COLUMN opportunity_details.next_activity_date; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.opportunity_details.next_activity_date IS 'When that is due';

--
-- Name: COLUMN opportunity_details.version_number; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.opportunity_details.version_number IS 'Counts the changes of this row; set by a trigger';

--
-- Name: card_details(text); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.card_details(opportunity text) RETURNS jsonb
    LANGUAGE sql STABLE
    BEGIN ATOMIC
 SELECT jsonb_build_object('closed_at', d.closed_at, 'close_reason', d.close_reason, 'next_activity', d.next_activity, 'next_activity_date', d.next_activity_date, 'details_version', d.version_number) AS jsonb_build_object
    FROM feed.opportunity_details d
   WHERE (d.opportunity_id = card_details.opportunity);
END;

ALTER FUNCTION feed.card_details(opportunity text) OWNER TO feed_owner;

--
-- Name: FUNCTION card_details(opportunity text); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.card_details(opportunity text) IS 'The fields of an opportunity that are in feed.opportunity_details; null if it has no row there.';

--
-- Name: card_image(jsonb, jsonb); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.card_image(image jsonb, names jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN ((names IS NULL) OR (image IS NULL)) THEN image ELSE (SELECT COALESCE(jsonb_object_agg(f.name, CASE WHEN ((f.name = ANY (ARRAY['phase'::text, 'owner_id'::text])) AND (jsonb_typeof(e.value) <> ALL (ARRAY['string'::text, 'null'::text]))) THEN to_jsonb((e.value #>> '{}'::text[])) ELSE e.value END ORDER BY (card_image.names ? e.key)), '{}'::jsonb) AS "coalesce" FROM (jsonb_each(card_image.image) e(key, value) CROSS JOIN LATERAL (SELECT CASE WHEN (card_image.names ? e.key) THEN (card_image.names ->> e.key) ELSE e.key END AS name) f) WHERE (f.name IS NOT NULL)) END;

ALTER FUNCTION feed.card_image(image jsonb, names jsonb) OWNER TO feed_owner;

--
-- Name: FUNCTION card_image(image jsonb, names jsonb); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.card_image(image jsonb, names jsonb) IS 'An image of an opportunity, or a part of one, with the names that clients know; names is that of feed.card_names, or null if nothing has another name.';

--
-- Name: field_names(); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.field_names() RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    target regclass := feed.opportunities_table();
    mapping jsonb := (SELECT a.columns FROM feed.adopted AS a WHERE a.role = 'opportunities');
    present text[] := ARRAY(SELECT a.attname::text FROM pg_attribute AS a WHERE a.attrelid = target AND a.attnum > 0 AND NOT a.attisdropped);
BEGIN
    RETURN (WITH held AS MATERIALIZED (
        SELECT f.field, f.name FROM feed.field_columns() AS f WHERE mapping ? f.field AND f.name IS NOT NULL
    )
    SELECT coalesce(jsonb_object_agg(n.name, n.field), '{}')
    FROM (SELECT h.field AS name, NULL AS field FROM held AS h
          WHERE h.field = ANY (present) AND NOT EXISTS (SELECT FROM held AS other WHERE other.name = h.field)
          UNION ALL
          SELECT f.name, m.key FROM jsonb_each(mapping) AS m CROSS JOIN LATERAL jsonb_array_elements_text(m.value -> 'names') AS f(name)
          WHERE f.name <> ALL (present)
          UNION ALL
          SELECT h.name, h.field FROM held AS h) AS n);
END
$$;

ALTER FUNCTION feed.field_names() OWNER TO feed_owner;

--
-- Name: FUNCTION field_names(); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.field_names() IS 'Which field of a card a column is, by each name that the column has or had, as feed.card_image needs it. Only columns that were named in feed.adopt.';

--
-- Name: adopted; Type: TABLE; Schema: feed; Owner: feed_owner
--

CREATE TABLE feed.adopted (
    role text NOT NULL,
    relation regclass NOT NULL,
    created boolean NOT NULL,
    added text[] DEFAULT '{}'::text[] NOT NULL,
    name text,
    columns jsonb DEFAULT '{}'::jsonb NOT NULL,
    granted jsonb DEFAULT '[]'::jsonb NOT NULL,
    restoring jsonb,
    CONSTRAINT adopted_role CHECK ((role = ANY (ARRAY['users'::text, 'opportunities'::text])))
);

ALTER TABLE feed.adopted OWNER TO feed_owner;

--
-- Name: TABLE adopted; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON TABLE feed.adopted IS 'The tables in other schemas that boards are made of. They are the application''s, unless boardcast created them.';

--
-- Name: COLUMN adopted.role; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.adopted.role IS 'opportunities: its rows are the cards; users: it has the names of the users';

--
-- Name: COLUMN adopted.relation; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.adopted.relation IS 'The table';

--
-- Name: COLUMN adopted.created; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.adopted.created IS 'Whether boardcast created it. boardcast migrate --down then drops it.';

--
-- Name: COLUMN adopted.added; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.adopted.added IS 'Columns that boardcast added to a table of the application. boardcast migrate --down drops them.';

--
-- Name: COLUMN adopted.name; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.adopted.name IS 'Name of the table when it was adopted: a table that is created again under this name takes its place. Null: public.users or public.opportunities';

--
-- Name: COLUMN adopted.columns; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.adopted.columns IS 'The columns of fields that were named in feed.adopt: for each field the names that its column has had, its number, and the OID of the table that has this number. See feed.mapped_column.';

--
-- Name: COLUMN adopted.granted; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.adopted.granted IS 'What boardcast granted the services on the table and its schema: each privilege with its role and the OID of the table and the number of the column, or the schema. It is revoked when it is no longer needed.';

--
-- Name: COLUMN adopted.restoring; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.adopted.restoring IS 'Columns that were dropped and added again, whose values feed.mend_rows is restoring from the log: up to which seq, after which key, in how many rows so far';

--
-- Name: card_names(); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.card_names() RETURNS TABLE(names jsonb)
    LANGUAGE sql STABLE
    BEGIN ATOMIC
 SELECT feed.field_names() AS field_names
    FROM feed.adopted a
   WHERE ((a.role = 'opportunities'::text) AND (a.columns <> '{}'::jsonb));
END;

ALTER FUNCTION feed.card_names() OWNER TO feed_owner;

--
-- Name: FUNCTION card_names(); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.card_names() IS 'feed.field_names() if any column was named in feed.adopt; otherwise no row.';

--
-- Name: card_obstacles(regclass, jsonb); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.card_obstacles(target regclass, columns jsonb) RETURNS SETOF text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
    schema_name text := (SELECT n.nspname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = target);
    key_column text := feed.single_key(target);
    board_column text;
    wrong text;
BEGIN
    RETURN QUERY SELECT concat_ws(': ', o.reason, rtrim(o.hint, '.')) FROM feed.table_obstacles(target) AS o;
    IF EXISTS (SELECT FROM pg_class AS c WHERE c.oid = target AND c.relkind NOT IN ('r', 'p')) THEN
        RETURN;
    END IF;
    IF key_column IS NULL THEN
        RETURN NEXT format('table %s has no primary key of one column, so clients cannot name its rows: Add such a key, or leave the table out of boards: '
                           'boardcast migrate --feed-only, then boardcast attach', target);
    ELSE
        RETURN QUERY SELECT concat_ws(': ', o.reason, rtrim(o.hint, '.')) FROM feed.key_obstacles(target, ARRAY[key_column]) AS o;
    END IF;
    RETURN QUERY SELECT feed.field_obstacles(target, columns);
    RETURN QUERY
    SELECT format('there is an index %I.feed_opportunities_board_id on another table, and boardcast needs the name: ALTER INDEX %1$I.feed_opportunities_board_id RENAME TO another name', schema_name)
    FROM pg_class AS c LEFT JOIN pg_index AS i ON i.indexrelid = c.oid
    WHERE c.relname = 'feed_opportunities_board_id' AND c.relnamespace = to_regnamespace(quote_ident(schema_name)) AND i.indrelid IS DISTINCT FROM target;
    -- Rows are read last. A table of another owner may not be readable.
    IF NOT has_table_privilege(target, 'SELECT') THEN
        RETURN;
    END IF;
    IF key_column IS NOT NULL THEN
        EXECUTE format('SELECT min(k.id) FROM (SELECT %s AS id FROM %s AS o) AS k WHERE k.id IN ('''', ''.'', ''..'')',
                       feed.plain_text(format('o.%I', key_column), (SELECT a.atttypid FROM pg_attribute AS a WHERE a.attrelid = target AND a.attname = key_column)), target) INTO wrong;
        IF wrong IS NOT NULL THEN
            RETURN NEXT format('a row has the id ''%s'', which no URL can contain: Change the id of this row. Every other text is possible', wrong);
        END IF;
    END IF;
    board_column := (SELECT a.attname FROM pg_attribute AS a
                     WHERE a.attrelid = target AND a.attname = coalesce(columns ->> 'board_id', 'board_id') AND a.attnum > 0 AND NOT a.attisdropped);
    IF board_column IS NOT NULL THEN
        EXECUTE format('SELECT min(b.id) FROM (SELECT DISTINCT %s AS id FROM %s AS o) AS b '
                       'WHERE b.id LIKE ''%%,%%'' OR b.id IN (''.'', ''..'') OR char_length(b.id) NOT BETWEEN 1 AND 200',
                       feed.json_text(format('o.%I', board_column), (SELECT a.atttypid FROM pg_attribute AS a WHERE a.attrelid = target AND a.attname = board_column)), target) INTO wrong;
        IF wrong IS NOT NULL THEN
            RETURN NEXT format('column %s has the value ''%s'', and the ID of a board has 1 to 200 characters, no comma, and is not a dot', quote_ident(board_column), left(wrong, 60));
        END IF;
    END IF;
END
$_$;

ALTER FUNCTION feed.card_obstacles(target regclass, columns jsonb) OWNER TO feed_owner;

--
-- Name: FUNCTION card_obstacles(target regclass, columns jsonb); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.card_obstacles(target regclass, columns jsonb) IS 'Why the rows of a table cannot be the cards of boards, with these columns for the fields; no row if they can. Used by feed.adoption_obstacles.';

--
-- Name: changed_columns(jsonb, jsonb); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.changed_columns(before jsonb, after jsonb) RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (SELECT COALESCE(array_agg(k.name), '{}'::text[]) AS "coalesce" FROM (SELECT jsonb_object_keys(changed_columns.before) AS name UNION SELECT jsonb_object_keys(changed_columns.after) AS jsonb_object_keys) k WHERE CASE WHEN (jsonb_typeof((changed_columns.before -> k.name)) = 'string'::text) THEN ((changed_columns.before -> k.name) IS DISTINCT FROM (changed_columns.after -> k.name)) ELSE (((changed_columns.before -> k.name))::text IS DISTINCT FROM ((changed_columns.after -> k.name))::text) END);

ALTER FUNCTION feed.changed_columns(before jsonb, after jsonb) OWNER TO feed_owner;

--
-- Name: FUNCTION changed_columns(before jsonb, after jsonb); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.changed_columns(before jsonb, after jsonb) IS 'Names of the columns that differ between two images of a row.';

--
-- Name: changes(jsonb, jsonb); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.changes(before jsonb, after jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (SELECT COALESCE(jsonb_object_agg(f.key, f.value), '{}'::jsonb) AS "coalesce" FROM jsonb_each(changes.after) f(key, value) WHERE ((f.value)::text IS DISTINCT FROM ((changes.before -> f.key))::text));

ALTER FUNCTION feed.changes(before jsonb, after jsonb) OWNER TO feed_owner;

--
-- Name: FUNCTION changes(before jsonb, after jsonb); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.changes(before jsonb, after jsonb) IS 'The columns that differ between two images of a row, with their new values.';

--
-- Name: log_seq; Type: SEQUENCE; Schema: feed; Owner: feed_owner
--

CREATE SEQUENCE feed.log_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE feed.log_seq OWNER TO feed_owner;

--
-- Name: SEQUENCE log_seq; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON SEQUENCE feed.log_seq IS 'Source of feed.log.seq. Rolled-back transactions leave gaps.';

--
-- Name: partition_number; Type: SEQUENCE; Schema: feed; Owner: feed_owner
--

CREATE SEQUENCE feed.partition_number
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE feed.partition_number OWNER TO feed_owner;

--
-- Name: SEQUENCE partition_number; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON SEQUENCE feed.partition_number IS 'Number of the partition of feed.log that is being written (feed.log_<number>).';

--
-- Name: log; Type: TABLE; Schema: feed; Owner: feed_owner
--

CREATE TABLE feed.log (
    seq bigint DEFAULT nextval('feed.log_seq'::regclass) NOT NULL,
    xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    partition_number bigint DEFAULT pg_sequence_last_value('feed.partition_number'::regclass) NOT NULL,
    relation text NOT NULL,
    op text NOT NULL,
    key text,
    board text,
    old jsonb,
    new jsonb,
    delta integer,
    image_hash bigint,
    version integer,
    parents integer[],
    actor text NOT NULL,
    origin text,
    traceparent text DEFAULT "left"(current_setting('feed.traceparent'::text, true), 56),
    db_user text NOT NULL,
    application text,
    client_addr inet,
    pid integer NOT NULL,
    notified boolean DEFAULT true NOT NULL,
    image_bytes integer
)
PARTITION BY RANGE (partition_number);

ALTER TABLE feed.log OWNER TO feed_owner;

--
-- Name: TABLE log; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON TABLE feed.log IS 'The change log: one row for each change of an attached table, written in the same transaction as the change. Append-only.';

--
-- Name: COLUMN log.seq; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.log.seq IS 'Sequence number. It gives the order of changes within a transaction.';

--
-- Name: COLUMN log.xid; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.log.xid IS 'Top-level transaction ID';

--
-- Name: COLUMN log.at; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.log.at IS 'When the row was written (clock_timestamp)';

--
-- Name: COLUMN log.partition_number; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.log.partition_number IS 'Partition key: the value of feed.partition_number when the row was written';

--
-- Name: COLUMN log.relation; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.log.relation IS 'The table. Qualified with its schema unless that is public.';

--
-- Name: COLUMN log.op; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.log.op IS 'insert, update, delete or truncate; leave and enter: one UPDATE that moved the row to another board; reload: a repair after which readers must load the table again, because the versions do not follow on from one another';

--
-- Name: COLUMN log.key; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.log.key IS 'Primary key as text; a JSON array if it has several columns';

--
-- Name: COLUMN log.board; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.log.board IS 'Board whose clients receive the change; null: none';

--
-- Name: COLUMN log.old; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.log.old IS 'The row before the change; if delta is set, only the columns that changed, or more. See feed.trigger_log for whole rows.';

--
-- Name: COLUMN log.new; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.log.new IS 'The row after the change; if delta is set, only the columns that changed, or more. See feed.trigger_log for whole rows.';

--
-- Name: COLUMN log.delta; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.log.delta IS 'Null: old and new are whole rows. For an update of a large row: how many changes since the last whole row; 0: new is whole, and old has the changed columns (for leave: the reverse). See feed.compact_change.';

--
-- Name: COLUMN log.image_hash; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.log.image_hash IS 'If delta is greater than 0: jsonb_hash_extended(row after the change, 0)';

--
-- Name: COLUMN log.version; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.log.version IS 'version_number of the row, if the table has that column';

--
-- Name: COLUMN log.parents; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.log.parents IS 'feed.parents: the versions that this one was merged or restored from; null for other changes';

--
-- Name: COLUMN log.actor; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.log.actor IS 'feed.actor; otherwise last_modified_by; otherwise the database user';

--
-- Name: COLUMN log.origin; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.log.origin IS 'feed.origin: the request or client mutation that made the write';

--
-- Name: COLUMN log.traceparent; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.log.traceparent IS 'feed.traceparent: W3C trace context of the write, if the writer set one';

--
-- Name: COLUMN log.db_user; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.log.db_user IS 'session_user';

--
-- Name: COLUMN log.application; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.log.application IS 'application_name';

--
-- Name: COLUMN log.client_addr; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.log.client_addr IS 'Client address; null for a Unix socket';

--
-- Name: COLUMN log.pid; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.log.pid IS 'Process ID of the backend';

--
-- Name: COLUMN log.notified; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.log.notified IS 'Whether the writing transaction sent NOTIFY';

--
-- Name: COLUMN log.image_bytes; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.log.image_bytes IS 'Bytes of the larger of old and new before compression, if more than 64 KiB; otherwise, and for deletions, null. Readers need it to leave out what is too large for a message without reading it.';

--
-- Name: changes_since(xid8, xid8[], xid8, xid8[]); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.changes_since(since_xmax xid8, since_xip xid8[], until_xmax xid8 DEFAULT NULL::xid8, until_xip xid8[] DEFAULT NULL::xid8[]) RETURNS SETOF feed.log
    LANGUAGE sql STABLE
    AS $$
    SELECT l.*
    FROM feed.log AS l
    WHERE l.xid >= since_xmax AND l.partition_number >= feed.first_partition_since(since_xmax) AND l.partition_number <= feed.current_partition()
      AND l.xid < coalesce(until_xmax, '18446744073709551615') AND l.xid <> ALL (coalesce(until_xip, '{}'))
    UNION ALL
    SELECT l.*
    FROM feed.log AS l
    WHERE l.xid = ANY (since_xip) AND l.xid < since_xmax AND l.partition_number >= feed.first_partition_since(since_xip[1]) AND l.partition_number <= feed.current_partition()
      AND l.xid < coalesce(until_xmax, '18446744073709551615') AND l.xid <> ALL (coalesce(until_xip, '{}'))
$$;

ALTER FUNCTION feed.changes_since(since_xmax xid8, since_xip xid8[], until_xmax xid8, until_xip xid8[]) OWNER TO feed_owner;

--
-- Name: FUNCTION changes_since(since_xmax xid8, since_xip xid8[], until_xmax xid8, until_xip xid8[]); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.changes_since(since_xmax xid8, since_xip xid8[], until_xmax xid8, until_xip xid8[]) IS 'Rows of feed.log that the holder of a cursor (xmax, xip) has not seen, up to another cursor or up to now. Order them by max(seq) OVER (PARTITION BY xid), then by seq.';

--
-- Name: checkpoint(text, text); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.checkpoint(board text, cursor text DEFAULT NULL::text, OUT count bigint, OUT hash text) RETURNS record
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'feed', 'pg_temp'
    SET row_security TO 'off'
    AS $$
    SELECT c.count, c.hash FROM feed.checkpoint_seen(checkpoint.board, checkpoint.cursor) AS c
$$;

ALTER FUNCTION feed.checkpoint(board text, cursor text, OUT count bigint, OUT hash text) OWNER TO feed_owner;

--
-- Name: FUNCTION checkpoint(board text, cursor text, OUT count bigint, OUT hash text); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.checkpoint(board text, cursor text, OUT count bigint, OUT hash text) IS 'Number of opportunities on a board and the hash of their IDs and versions (docs/protocol.md), now or at the position of a cursor. Null if the table was truncated since then. The log must not have been pruned since then (see feed.cursor_fault).';

--
-- Name: checkpoint_seen(text, text); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.checkpoint_seen(board text, cursor text, OUT count bigint, OUT hash text) RETURNS record
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'feed', 'pg_temp'
    AS $$
    WITH parts AS (
        SELECT 1 AS sign, feed.row_hash(o.id, o.version_number) AS part FROM feed.versions_on(checkpoint_seen.board) AS o
        UNION ALL
        SELECT s.sign, s.sign * feed.row_hash(l.key, s.version)
        FROM feed.parse_cursor(checkpoint_seen.cursor) AS c
        CROSS JOIN LATERAL feed.changes_since(c.xmax, c.xip) AS l
        -- Undo the change: remove the new row and add the old row back.
        CROSS JOIN LATERAL (VALUES
            (-1, CASE WHEN l.op IN ('insert', 'update', 'enter') THEN l.version END),
            (1, CASE WHEN l.op IN ('update', 'delete', 'leave') THEN coalesce(feed.version_number(l.old), l.version) END),
            (NULL, CASE WHEN l.op = 'truncate' THEN 0 END)
        ) AS s(sign, version)
        WHERE l.relation = 'opportunities' AND (l.board = checkpoint_seen.board OR l.op = 'truncate') AND s.version IS NOT NULL
    )
    SELECT CASE WHEN s.known THEN s.rows END, CASE WHEN s.known THEN lpad(to_hex(s.total & 4294967295), 8, '0') END
    FROM (SELECT count(*) = count(sign) AS known, coalesce(sum(sign), 0) AS rows, coalesce(sum(part), 0)::bigint AS total FROM parts) AS s
$$;

ALTER FUNCTION feed.checkpoint_seen(board text, cursor text, OUT count bigint, OUT hash text) OWNER TO feed_owner;

--
-- Name: FUNCTION checkpoint_seen(board text, cursor text, OUT count bigint, OUT hash text); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.checkpoint_seen(board text, cursor text, OUT count bigint, OUT hash text) IS 'Like feed.checkpoint, but counts only the rows that row security lets the caller see. Used by feed.report_gap.';

--
-- Name: columns_image(text[], jsonb[]); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.columns_image(names text[], images jsonb[]) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
BEGIN
    RETURN (SELECT jsonb_object_agg(c.name, c.image) FROM unnest(names, images) AS c(name, image));
EXCEPTION WHEN program_limit_exceeded THEN
    RETURN (SELECT jsonb_object_agg(c.name, CASE WHEN pg_column_size(c.image) > 1048576
                                                 THEN jsonb_build_object('$omitted', pg_column_size(c.image)) ELSE c.image END)
            FROM unnest(names, images) AS c(name, image));
END
$_$;

ALTER FUNCTION feed.columns_image(names text[], images jsonb[]) OWNER TO feed_owner;

--
-- Name: FUNCTION columns_image(names text[], images jsonb[]); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.columns_image(names text[], images jsonb[]) IS 'The image of a row, from the images of its columns. See feed.value_image.';

--
-- Name: compact_change(oid, text, text, text, jsonb, jsonb); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.compact_change(target oid, relation text, op text, key text, before jsonb, after jsonb) RETURNS feed.log
    LANGUAGE plpgsql STABLE COST 1
    SET search_path TO 'pg_catalog', 'feed', 'pg_temp'
    AS $$
#variable_conflict use_variable
DECLARE
    changed text[] := feed.changed_columns(before, after);
    previous record;
    result feed.log;
BEGIN
    IF changed = '{}' THEN
        -- The stored rows differ all the same.
        changed := feed.inexact_columns(target);
    END IF;
    SELECT jsonb_object_agg(c.name, before -> c.name) FILTER (WHERE before ? c.name), jsonb_object_agg(c.name, after -> c.name) FILTER (WHERE after ? c.name)
    INTO result.old, result.new FROM unnest(changed) AS c(name);
    result.old := coalesce(result.old, '{}');
    result.new := coalesce(result.new, '{}');
    result.delta := 0;
    IF op = 'leave' THEN
        result.old := before;
        RETURN result;
    ELSIF op = 'update' THEN
        SELECT l.op, l.delta, coalesce(l.image_hash, jsonb_hash_extended(l.new, 0)) AS image_hash, l.partition_number INTO previous
        FROM feed.log AS l WHERE l.relation = relation AND l.key = key ORDER BY l.seq DESC LIMIT 1;
        IF previous.op IN ('insert', 'update', 'enter') AND previous.partition_number = pg_sequence_last_value('feed.partition_number')
           AND previous.image_hash = jsonb_hash_extended(before, 0)
           AND coalesce(previous.delta, 0) < greatest(100, pg_column_size(after) / 2000) THEN
            result.delta := coalesce(previous.delta, 0) + 1;
            result.image_hash := jsonb_hash_extended(after, 0);
            result.image_bytes := nullif(greatest(pg_column_size(result.old), pg_column_size(result.new), 65536), 65536);
            RETURN result;
        END IF;
    END IF;
    result.new := after;
    result.image_bytes := nullif(greatest(pg_column_size(result.old), pg_column_size(result.new), 65536), 65536);
    RETURN result;
END
$$;

ALTER FUNCTION feed.compact_change(target oid, relation text, op text, key text, before jsonb, after jsonb) OWNER TO feed_owner;

--
-- Name: FUNCTION compact_change(target oid, relation text, op text, key text, before jsonb, after jsonb); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.compact_change(target oid, relation text, op text, key text, before jsonb, after jsonb) IS 'The images of a change of a large row, as feed.log has them: without the columns that did not change. Used by feed.capture.';

--
-- Name: compact_changes(jsonb, jsonb, integer); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.compact_changes(old jsonb, new jsonb, delta integer) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN (delta > 0) THEN new ELSE (SELECT COALESCE(jsonb_object_agg(f.key, (compact_changes.new -> f.key)), '{}'::jsonb) AS "coalesce" FROM (SELECT jsonb_object_keys(compact_changes.old) AS key) f) END;

ALTER FUNCTION feed.compact_changes(old jsonb, new jsonb, delta integer) OWNER TO feed_owner;

--
-- Name: FUNCTION compact_changes(old jsonb, new jsonb, delta integer); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.compact_changes(old jsonb, new jsonb, delta integer) IS 'The changed columns with their new values, for an update whose feed.log.delta is set.';

--
-- Name: complete_image(text, text, bigint); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.complete_image(relation text, key text, seq bigint) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'feed', 'pg_temp'
    AS $$
#variable_conflict use_variable
DECLARE
    image jsonb := '{}';
    entry record;
BEGIN
    FOR entry IN
        SELECT l.op, l.delta, l.new FROM feed.log AS l
        WHERE l.relation = relation AND l.key = key AND l.seq <= seq ORDER BY l.seq DESC
    LOOP
        image := entry.new || image;
        IF entry.op = 'leave' OR entry.new IS NULL THEN
            RETURN NULL;
        ELSIF entry.delta IS NULL OR entry.delta = 0 THEN
            RETURN image;
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;

ALTER FUNCTION feed.complete_image(relation text, key text, seq bigint) OWNER TO feed_owner;

--
-- Name: FUNCTION complete_image(relation text, key text, seq bigint); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.complete_image(relation text, key text, seq bigint) IS 'The row after a change that was logged without the columns that it did not change. Used by feed.image_after.';

--
-- Name: converts_safely(regclass); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.converts_safely(target regclass) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    SELECT NOT EXISTS (
        SELECT FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
        WHERE a.attrelid = target AND a.attnum > 0 AND NOT a.attisdropped
          AND (t.typnamespace <> 'pg_catalog'::regnamespace AND (t.typtype <> 'e' OR EXISTS (SELECT FROM pg_cast AS c WHERE c.castsource = t.oid))
               OR t.oid IN ('json'::regtype, 'json[]'::regtype)))
$$;

ALTER FUNCTION feed.converts_safely(target regclass) OWNER TO feed_owner;

--
-- Name: FUNCTION converts_safely(target regclass); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.converts_safely(target regclass) IS 'Whether to_jsonb can convert each row of a table: it has no column of type json or of a type with casts of its own.';

--
-- Name: created_partitions(oid); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.created_partitions(target oid) RETURNS regclass[]
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    RETURN (SELECT COALESCE(array_agg((c.oid)::regclass ORDER BY c.oid), '{}'::regclass[]) AS "coalesce" FROM (((pg_partition_tree((created_partitions.target)::regclass) p(relid, parentrelid, isleaf, level) JOIN pg_class c ON ((c.oid = (p.relid)::oid))) JOIN pg_inherits i ON ((i.inhrelid = c.oid))) JOIN pg_type t ON ((t.oid = c.reltype))) WHERE ((p.level > 0) AND ((i.xmin)::text = (t.xmin)::text) AND ((((i.cmin)::text)::bigint - ((t.cmin)::text)::bigint) <= 2)));

ALTER FUNCTION feed.created_partitions(target oid) OWNER TO feed_owner;

--
-- Name: FUNCTION created_partitions(target oid); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.created_partitions(target oid) IS 'Partitions of a table, at all levels, that were created as partitions, so they did not come with rows.';

--
-- Name: current_columns(regclass, text[]); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.current_columns(target regclass, named text[]) RETURNS text[]
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
BEGIN
    RETURN (
        SELECT coalesce(array_agg(coalesce(
                   (SELECT a.attname::text FROM feed.attached AS t JOIN pg_attribute AS a ON a.attrelid = t.relation AND a.attnum = (t.columns ->> n.name)::integer
                    WHERE t.relation = target AND t.numbered = target::oid AND NOT a.attisdropped),
                   (SELECT a.attname::text FROM pg_attribute AS a
                    WHERE a.attrelid = target AND a.attname = n.name AND a.attnum > 0 AND NOT a.attisdropped)) ORDER BY n.place), '{}')
        FROM unnest(named) WITH ORDINALITY AS n(name, place));
END
$$;

ALTER FUNCTION feed.current_columns(target regclass, named text[]) OWNER TO feed_owner;

--
-- Name: FUNCTION current_columns(target regclass, named text[]); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.current_columns(target regclass, named text[]) IS 'Present names of columns of an attached table that were named in feed.attach. Null for a column that was dropped.';

--
-- Name: current_partition(); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.current_partition() RETURNS bigint
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    AS $$
BEGIN
    RETURN pg_catalog.pg_sequence_last_value('feed.partition_number');
END
$$;

ALTER FUNCTION feed.current_partition() OWNER TO feed_owner;

--
-- Name: FUNCTION current_partition(); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.current_partition() IS 'Number of the partition that is being written. No visible row is in a later one.';

--
-- Name: cursor_fault(text); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.cursor_fault(cursor text) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'feed', 'pg_temp'
    AS $$
    SELECT CASE
               WHEN c.feed_id IS NULL THEN 'malformed'
               WHEN c.feed_id <> i.feed_id THEN 'foreign'
               WHEN c.xmax > pg_snapshot_xmax(pg_current_snapshot()) OR c.anchor > coalesce((SELECT max(l.seq) FROM feed.log AS l), 0)
                   THEN 'future'
               WHEN coalesce(c.xip[1], c.xmax) <= i.floor_xid THEN 'pruned'
               WHEN c.anchor = 0 THEN NULL
               WHEN anchor.seq IS NULL THEN CASE WHEN c.anchor <= i.floor_seq THEN 'pruned' ELSE 'diverged' END
               WHEN c.tag <> left(encode(sha256(convert_to(
                    concat_ws(':', anchor.seq, anchor.xid, (extract(epoch FROM anchor.at) * 1000000)::bigint), 'UTF8')), 'hex'), 8)
                   THEN 'diverged'
           END
    FROM feed.identity AS i
    CROSS JOIN feed.parse_cursor(cursor_fault.cursor) AS c
    LEFT JOIN feed.log AS anchor ON anchor.seq = c.anchor
$$;

ALTER FUNCTION feed.cursor_fault(cursor text) OWNER TO feed_owner;

--
-- Name: FUNCTION cursor_fault(cursor text); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.cursor_fault(cursor text) IS 'Why a client cannot resume from a cursor, as the reason of a reset: malformed, foreign, future, pruned or diverged. Null: it can.';

--
-- Name: default_board(); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.default_board() RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    SELECT b.id FROM feed.boards AS b ORDER BY b.id <> 'main', b.created_at, b.id LIMIT 1
$$;

ALTER FUNCTION feed.default_board() OWNER TO feed_owner;

--
-- Name: FUNCTION default_board(); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.default_board() IS 'Board of the opportunities if their table has no column board_id: main or, without such a board, the oldest.';

--
-- Name: detach(regclass); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.detach(target regclass) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    trigger_name name;
    was_attached boolean;
BEGIN
    IF EXISTS (SELECT FROM pg_class AS c WHERE c.oid = target AND c.relkind IN ('r', 'p') AND pg_has_role(c.relowner, 'USAGE')) THEN
        PERFORM feed.lock_tables(ARRAY[target]);
    END IF;
    -- By function and by name: a trigger with the name of ours may call another function.
    FOR trigger_name IN
        SELECT t.tgname FROM pg_trigger AS t
        LEFT JOIN pg_proc AS p ON p.oid = t.tgfoid AND p.pronamespace = 'feed'::regnamespace
        WHERE t.tgrelid = target AND NOT t.tgisinternal
          AND (p.proname IN ('capture', 'begin_statement')
               OR t.tgname IN ('feed_begin', 'feed_capture_insert', 'feed_capture_update', 'feed_capture_delete', 'feed_capture_truncate'))
    LOOP
        was_attached := true;
        EXECUTE format('DROP TRIGGER %I ON %s', trigger_name, target);
    END LOOP;
    DELETE FROM feed.attached AS a WHERE a.relation = target;
    IF NOT FOUND AND was_attached IS NULL AND target IS NOT NULL THEN
        RAISE EXCEPTION 'table % is not attached', target USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'SELECT name FROM feed.attached_tables lists the attached tables.';
    END IF;
END
$$;

ALTER FUNCTION feed.detach(target regclass) OWNER TO feed_owner;

--
-- Name: FUNCTION detach(target regclass); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.detach(target regclass) IS 'Detaches a table from the feed. Its changes stay in feed.log. For a table that was dropped, pass its OID: feed.detach(''16543'').';

--
-- Name: display_value(jsonb); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.display_value(value jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN ((value IS NULL) OR (value = 'null'::jsonb)) THEN 'null'::text WHEN (length((value #>> '{}'::text[])) > 60) THEN ("left"((value #>> '{}'::text[]), 57) || '...'::text) ELSE (value #>> '{}'::text[]) END;

ALTER FUNCTION feed.display_value(value jsonb) OWNER TO feed_owner;

--
-- Name: FUNCTION display_value(value jsonb); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.display_value(value jsonb) IS 'A value as feed.trigger_log shows it, at most 60 characters long.';

--
-- Name: explain(bigint); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.explain(seq bigint) RETURNS TABLE(step text, at timestamp with time zone, after interval, what text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'feed', 'pg_temp'
    AS $$
DECLARE
    change feed.trigger_log;
    identity feed.identity;
    last bigint := (SELECT max(l.seq) FROM feed.log AS l);
    other_cluster boolean := (SELECT l.partition_number < i.first_partition FROM feed.log AS l CROSS JOIN feed.identity AS i WHERE l.seq = explain.seq);
    wrote record;
    committed timestamptz;
    board text;
    host record;
    journal record;
BEGIN
    SELECT * INTO identity FROM feed.identity;
    SELECT t.* INTO change FROM feed.trigger_log AS t WHERE t.seq = explain.seq;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'not found', NULL::timestamptz, NULL::interval, CASE
            WHEN explain.seq IS NULL OR explain.seq < 1 THEN 'no change has this sequence number'
            WHEN explain.seq <= identity.floor_seq THEN 'pruned, together with all changes up to ' || identity.floor_seq
            WHEN explain.seq > coalesce(last, 0) THEN 'not written yet, or not committed: the newest is ' || coalesce(last::text, 'none')
            -- A transaction that writes to the log holds this lock until it ends, even after PREPARE TRANSACTION.
            WHEN EXISTS (SELECT FROM pg_locks AS k JOIN pg_database AS d ON d.oid = k.database
                         WHERE k.relation = 'feed.log'::regclass AND d.datname = current_database() AND k.mode = 'RowExclusiveLock')
                THEN 'its transaction was rolled back or is not committed yet: some transactions are in progress'
            ELSE 'its transaction was rolled back: sequence numbers are not reused' END;
        RETURN;
    END IF;
    IF NOT other_cluster AND current_setting('track_commit_timestamp')::boolean
       AND pg_snapshot_xmax(pg_current_snapshot())::text::numeric - change.xid::text::numeric < 2 ^ 31 THEN
        committed := pg_xact_commit_timestamp(change.xid::xid);
    END IF;
    board := coalesce('board ' || change.board, CASE WHEN change.op IN ('truncate', 'reload') THEN 'any board' END);

    SELECT min(t.at) AS at, count(*) AS changes INTO wrote
    FROM (SELECT l.at FROM feed.log AS l WHERE l.xid BETWEEN change.xid AND change.xid LIMIT 1001) AS t;
    IF wrote.changes BETWEEN 2 AND 1000 THEN
        RETURN QUERY SELECT 'transaction', wrote.at, wrote.at - change.at, 'first change of the transaction; its start time is not recorded';
    END IF;
    RETURN QUERY SELECT 'write', change.at, interval '0',
        concat_ws(' ', change.op, 'of', change.relation, change.key, 'by', change.actor) || coalesce(': ' || change.changes, '');
    RETURN QUERY SELECT 'from', change.at, interval '0',
        concat_ws(', ', change.source, 'application ' || nullif(change.application, ''), 'database user ' || change.db_user,
                  'address ' || coalesce(pg_catalog.host(change.client_addr), 'local'), 'pid ' || change.pid, 'origin ' || change.origin,
                  'trace ' || split_part(feed.valid_traceparent(change.traceparent), '-', 2));
    RETURN QUERY SELECT 'commit', committed, committed - change.at, 'transaction ' || change.xid || ', change ' || change.step
        || CASE WHEN other_cluster THEN '; written in another cluster' WHEN committed IS NULL THEN '; commit time not known' ELSE '' END;
    RETURN QUERY SELECT 'notify', committed, committed - change.at,
        CASE WHEN change.notified THEN 'sent by the transaction, at commit'
             ELSE 'not sent by the transaction: the pacer was reading the log every few milliseconds and sent it, or NOTIFY was switched off' END;

    FOR host IN
        SELECT coalesce(i.instance, s.instance) AS name, i.cursor, i.reported_at, i.started, i.connections
        FROM feed.instances AS i
        FULL JOIN (SELECT DISTINCT w.instance FROM feed.delivery_journal AS w WHERE w.delivered_at >= change.at) AS s ON s.instance = i.instance
        WHERE NOT other_cluster ORDER BY i.started, 1
    LOOP
        SELECT w.* INTO journal FROM feed.delivery_journal AS w
        WHERE w.instance = host.name AND w.delivered_at >= change.at
          AND feed.has_seen(w.cursor, change.xid) AND NOT feed.has_seen(w.since, change.xid)
        ORDER BY w.delivered_at LIMIT 1;
        IF FOUND THEN
            RETURN QUERY SELECT 'read', journal.read_at, journal.read_at - change.at, host.name || ': '
                || CASE WHEN journal.reads = 1 THEN 'changes read: ' || journal.events
                        ELSE format('changes read: %s, in %s read passes, the first at this time', journal.events, journal.reads) END;
            RETURN QUERY SELECT 'delivered', journal.delivered_at, journal.delivered_at - change.at, host.name || ': ' || CASE
                WHEN board IS NULL THEN 'to nobody: the change belongs to no board'
                WHEN change.board IS NULL THEN format('to all of its %s clients', journal.clients)
                WHEN journal.boards IS NULL THEN format('to those of its %s clients that see %s', journal.clients, board)
                ELSE format('to %s of its %s clients, those that see %s', coalesce(journal.boards ->> change.board, '0'), journal.clients, board) END
                || CASE WHEN journal.reads > 1 THEN ', by this time' ELSE '' END
                || CASE WHEN journal.late > 0 THEN format('; slow clients, which get it from the log later: %s', journal.late) ELSE '' END;
        ELSIF host.cursor IS NOT NULL THEN
            RETURN QUERY SELECT 'delivered', host.reported_at, host.reported_at - change.at, host.name || ': ' || CASE
                WHEN NOT feed.has_seen(host.cursor, change.xid) THEN 'not yet at its last report'
                WHEN host.started > change.at THEN 'started later: its clients loaded it in a snapshot or caught up'
                WHEN board IS NULL THEN 'to nobody: the change belongs to no board'
                ELSE format('by this time, to those of its %s clients that see %s; exact times are kept for an hour', host.connections, board) END;
        END IF;
        RETURN QUERY SELECT 'confirmed', min(a.oldest), min(a.oldest) - change.at,
                format('%s: by %s of its clients, with a cursor that covers it: %s', host.name, sum(a.clients),
                       string_agg(format('%s (%s)', a.cursor, a.clients), ', ' ORDER BY a.clients DESC))
            FROM (SELECT * FROM feed.client_positions AS n WHERE n.instance = host.name AND feed.has_seen(n.cursor, change.xid)
                  ORDER BY n.clients DESC LIMIT 5) AS a
            HAVING count(*) > 0;
        RETURN QUERY SELECT 'not confirmed', max(a.newest), max(a.newest) - change.at,
                format('%s: by %s of its clients, whose last confirmed cursor does not cover it', host.name, sum(a.clients))
            FROM feed.client_positions AS a WHERE a.instance = host.name AND NOT feed.has_seen(a.cursor, change.xid)
            HAVING count(*) > 0;
    END LOOP;
    RETURN QUERY SELECT 'since then', max(l.at), max(l.at) - change.at, 'later changes to the row: ' || count(*)
        FROM feed.log AS l WHERE l.relation = change.relation AND l.key = change.key AND l.seq > change.seq;
END
$$;

ALTER FUNCTION feed.explain(seq bigint) OWNER TO feed_owner;

--
-- Name: FUNCTION explain(seq bigint); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.explain(seq bigint) IS 'The life of one change, by its seq, with the time of each step and the interval after the write: transaction, write, commit (needs track_commit_timestamp), NOTIFY, which instances delivered it to how many clients (known for an hour), which clients confirmed it, and later changes to the row.';

--
-- Name: explain_cursor(text); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.explain_cursor(cursor text) RETURNS TABLE(step text, at timestamp with time zone, what text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'feed', 'pg_temp'
    AS $$
DECLARE
    maximum CONSTANT integer := 10000;
    fault text := feed.cursor_fault(explain_cursor.cursor);
    identity feed.identity;
    parsed record;
    newest feed.trigger_log;
    last bigint := (SELECT max(l.seq) FROM feed.log AS l);
    missing bigint;
    oldest timestamptz;
BEGIN
    SELECT * INTO identity FROM feed.identity;
    SELECT * INTO parsed FROM feed.parse_cursor(explain_cursor.cursor);
    IF fault = 'malformed' THEN
        RETURN QUERY SELECT 'resumes', NULL::timestamptz,
            'no, malformed: not a valid cursor. It was truncated or modified';
        RETURN;
    END IF;

    RETURN QUERY SELECT 'cursor', NULL::timestamptz, format('feed %s: all transactions below %s%s', parsed.feed_id, parsed.xmax,
        coalesce(' except ' || nullif(array_to_string(parsed.xip, ', '), '') || ', which were in progress', ''));
    IF fault IS NULL OR fault = 'pruned' THEN
        SELECT t.* INTO newest FROM feed.trigger_log AS t WHERE t.seq = parsed.anchor;
        RETURN QUERY SELECT 'has', newest.at, CASE
            WHEN parsed.anchor = 0 THEN 'nothing: the log was empty'
            WHEN newest.seq IS NULL THEN format('change %s as the newest, which has been pruned', parsed.anchor)
            ELSE format('change %s as the newest: %s', parsed.anchor,
                        concat_ws(' ', newest.op, 'of', newest.relation, newest.key, 'by', newest.actor)) END;
        SELECT count(*), min(u.at) INTO missing, oldest
        FROM (SELECT n.at FROM feed.changes_since(parsed.xmax, parsed.xip) AS n LIMIT maximum + 1) AS u;
        RETURN QUERY SELECT 'lacks', oldest, CASE
            WHEN missing > maximum THEN format('more than %s changes, the newest in the log is %s', maximum, last)
            WHEN missing > 0 THEN format('changes: %s, the oldest from this time', missing)
            WHEN fault IS NULL THEN 'nothing: it is up to date'
            ELSE 'the changes that were pruned' END;
        RETURN QUERY
            SELECT 'lacks', min(u.at), format('%s: %s (%s)', coalesce('board ' || u.board, 'no board'), count(*),
                                                CASE WHEN count(*) = 1 THEN min(u.seq)::text ELSE min(u.seq) || ' ... ' || max(u.seq) END)
            FROM (SELECT n.seq, n.at, n.board FROM feed.changes_since(parsed.xmax, parsed.xip) AS n LIMIT maximum + 1) AS u
            GROUP BY u.board ORDER BY count(*) DESC, u.board LIMIT 20;
    END IF;

    RETURN QUERY SELECT 'held', a.oldest, format('by %s clients of %s, according to their last confirmation', a.clients, a.instance)
        FROM feed.client_positions AS a WHERE a.cursor = explain_cursor.cursor ORDER BY a.oldest;
    RETURN QUERY SELECT 'resumes', CASE WHEN fault = 'foreign' THEN identity.renewed_at END, CASE fault
        WHEN 'foreign' THEN format('no, foreign: since this time the feed has ID %s (%s)', identity.feed_id, identity.reason)
        WHEN 'future' THEN format('no, future: the cursor covers change %s and transactions below %s, but this log ends at change %s and transactions below %s. The log went back: a copy, a crash or a restore',
                                  parsed.anchor, parsed.xmax, coalesce(last, 0), pg_snapshot_xmax(pg_current_snapshot()))
        WHEN 'pruned' THEN format('no, pruned: the log was pruned up to change %s and transaction %s', identity.floor_seq, identity.floor_xid)
        WHEN 'diverged' THEN format('no, diverged: change %s, the newest that it covers, %s', parsed.anchor,
                                    CASE WHEN EXISTS (SELECT FROM feed.log AS l WHERE l.seq = parsed.anchor)
                                         THEN 'is a different one in this log' ELSE 'is not in this log' END)
        ELSE 'yes: a client that reconnects with it gets the missing changes of the boards that it may see' END
        || CASE WHEN fault IS NOT NULL THEN '. A client that reconnects with it gets a reset and loads its boards again' ELSE '' END;
END
$$;

ALTER FUNCTION feed.explain_cursor(cursor text) OWNER TO feed_owner;

--
-- Name: FUNCTION explain_cursor(cursor text); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.explain_cursor(cursor text) IS 'What the holder of a cursor has, what is missing and on which boards, and whether the client can resume from it; if not, why not.';

--
-- Name: fed_columns(regclass); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.fed_columns(target regclass, OUT relation text, OUT board text, OUT row_key text, OUT key_columns text, OUT key_texts text, OUT image text, OUT row_by_key text, OUT seq bigint, OUT key text[], OUT was_empty boolean) RETURNS record
    LANGUAGE plpgsql STABLE STRICT
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
    arguments record;
    -- A shortened key (see feed.short_key) has no value to look up.
    full_key CONSTANT text := 'CASE WHEN k.key !~ ''^md5:[0-9a-f]{32}$'' THEN k.key END';
    matches text;
BEGIN
    SELECT feed.current_columns(target, a.key) AS key, (feed.current_columns(target, ARRAY[a.board]))[1] AS board,
           array_remove(feed.current_columns(target, a.excluded), NULL) AS excluded, a.seq, a.was_empty
    INTO arguments FROM feed.attached AS a WHERE a.relation = target;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'table % is not attached', target
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = format('Attach it with SELECT feed.attach(%L).', target);
    END IF;
    relation := feed.relation_name(target);
    board := arguments.board;
    seq := arguments.seq;
    key := arguments.key;
    was_empty := arguments.was_empty;
    image := CASE WHEN arguments.excluded = '{}' THEN 'feed.row_json(t.*)' ELSE format('(feed.row_json(t.*) - %L::text[])', arguments.excluded) END;
    SELECT format('feed.short_key(feed.row_key(jsonb_build_object(%s), %L))',
                  string_agg(format(CASE WHEN feed.trusted_type(a.atttypid) THEN '%L::text, t.%I' ELSE '%L::text, feed.value_image(t.%I)' END, k.name, k.name), ', '), arguments.key)
    INTO row_key FROM unnest(arguments.key) AS k(name) JOIN pg_attribute AS a ON a.attrelid = target AND a.attname = k.name AND NOT a.attisdropped;
    -- Cast the key from the log to the column types, so that the index of the table is used. For a domain, cast it to the type below:
    -- the domain would check it with the rights of the caller.
    SELECT string_agg(format(CASE WHEN feed.trusted_type(a.atttypid) AND b.typtype IS DISTINCT FROM 'd' THEN '%1$s = (%2$s)::%3$s' ELSE '%4$s = %2$s' END, format('t.%I', a.attname),
                             CASE WHEN cardinality(arguments.key) = 1 THEN full_key ELSE format('((%s)::jsonb ->> %s)', full_key, c.place - 1) END,
                             CASE y.typtype WHEN 'd' THEN format_type(b.oid, y.typtypmod) ELSE format_type(a.atttypid, a.atttypmod) END,
                             feed.json_text(format('t.%I', a.attname), a.atttypid)), ' AND ' ORDER BY c.place),
           string_agg(format('t.%I', a.attname), ', ' ORDER BY c.place),
           string_agg(feed.plain_text(format('t.%I', a.attname), a.atttypid), ', ' ORDER BY c.place)
    INTO matches, key_columns, key_texts
    FROM unnest(arguments.key) WITH ORDINALITY AS c(name, place)
    JOIN pg_attribute AS a ON a.attrelid = target AND a.attname = c.name AND NOT a.attisdropped
    JOIN pg_type AS y ON y.oid = a.atttypid
    LEFT JOIN pg_type AS b ON b.oid = y.typbasetype;
    row_by_key := format('SELECT %1$s AS data FROM %2$s AS t WHERE %3$s UNION ALL '
                         'SELECT %1$s FROM %2$s AS t WHERE k.key ~ ''^md5:[0-9a-f]{32}$'' AND %4$s = k.key',
                         image, target, matches, row_key);
END
$_$;

ALTER FUNCTION feed.fed_columns(target regclass, OUT relation text, OUT board text, OUT row_key text, OUT key_columns text, OUT key_texts text, OUT image text, OUT row_by_key text, OUT seq bigint, OUT key text[], OUT was_empty boolean) OWNER TO feed_owner;

--
-- Name: FUNCTION fed_columns(target regclass, OUT relation text, OUT board text, OUT row_key text, OUT key_columns text, OUT key_texts text, OUT image text, OUT row_by_key text, OUT seq bigint, OUT key text[], OUT was_empty boolean); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.fed_columns(target regclass, OUT relation text, OUT board text, OUT row_key text, OUT key_columns text, OUT key_texts text, OUT image text, OUT row_by_key text, OUT seq bigint, OUT key text[], OUT was_empty boolean) IS 'Building blocks for a statement about one attached table (t): its name in the log, its board column, the expression of its key, its key columns, the same cast to text, the expression of a row image as in the log (without excluded columns), the query for the row of a key (k.key), the sequence number after which the log is about this table, its key, and whether it was empty when it was attached.';

--
-- Name: field_columns(); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.field_columns() RETURNS TABLE(field text, name text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
DECLARE
    target regclass := feed.opportunities_table();
    attached record;
    mapping jsonb := (SELECT a.columns FROM feed.adopted AS a WHERE a.role = 'opportunities');
    named jsonb := '{}';
BEGIN
    SELECT t.key, t.board INTO attached FROM feed.attached AS t WHERE t.relation = target;
    IF mapping <> '{}' THEN
        named := (SELECT coalesce(jsonb_object_agg(c.field, c.name) FILTER (WHERE c.name IS NOT NULL), '{}')
                  FROM (SELECT m.key AS field, feed.mapped_column(target, m.value) AS name FROM jsonb_each(mapping) AS m) AS c);
    END IF;
    -- Attaching the table with another key or board also decides.
    named := named || jsonb_strip_nulls(jsonb_build_object(
        'id', (feed.current_columns(target, coalesce(attached.key, ARRAY[feed.single_key(target)])))[1],
        'board_id', (feed.current_columns(target, ARRAY[attached.board]))[1]));
    RETURN QUERY
    SELECT f.field, coalesce(named ->> f.field, a.attname::text)
    FROM unnest('{id,board_id,phase,title,position,value,currency,owner_id,company,contact,notes,probability,expected_close_date,version_number}'::text[]) AS f(field)
    LEFT JOIN pg_attribute AS a
        ON f.field <> 'id' AND a.attrelid = target AND a.attname = f.field AND a.attnum > 0 AND NOT a.attisdropped
           AND NOT EXISTS (SELECT FROM jsonb_each_text(named) AS n WHERE n.value = f.field);
END
$$;

ALTER FUNCTION feed.field_columns() OWNER TO feed_owner;

--
-- Name: FUNCTION field_columns(); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.field_columns() IS 'The fields of a card, each with the column of the table of the opportunities that holds it; null: there is none. See feed.adopt.';

--
-- Name: field_obstacles(regclass, jsonb); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.field_obstacles(target regclass, columns jsonb) RETURNS SETOF text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    key_column text := coalesce((SELECT f.name FROM feed.field_columns() AS f WHERE f.field = 'id' AND target = feed.opportunities_table()), feed.single_key(target));
BEGIN
    RETURN QUERY
    WITH fields(field, categories, wanted) AS (
        VALUES ('board_id', 'SNUBDE', 'a text, a number, a uuid, or an enum'), ('phase', 'SNUBDE', 'a text, a number, a uuid, or an enum'),
               ('owner_id', 'SNUBDE', 'a text, a number, a uuid, or an enum'), ('position', 'SN', 'a text or a number'),
               ('title', 'S', 'a text'), ('company', 'S', 'a text'), ('contact', 'S', 'a text'), ('notes', 'S', 'a text'),
               ('currency', 'SE', 'a text or an enum'), ('value', 'N', 'a number'), ('probability', 'N', 'a number'),
               ('expected_close_date', 'D', 'a date or a time')
    ), given AS (
        SELECT c.key AS field, c.value AS name, f.categories, f.wanted FROM jsonb_each_text(columns) AS c LEFT JOIN fields AS f ON f.field = c.key
    ), found AS (
        SELECT g.*, a.attnum, a.attgenerated, format_type(a.atttypid, a.atttypmod) AS type, y.typtype,
               -- An enum is a text to clients; money, bytea, json and the like have no form that a field can have.
               CASE WHEN y.typtype = 'e' THEN 'E' WHEN y.oid = 'uuid'::regtype THEN 'U' WHEN y.oid = ANY ('{money,oid,time,timetz}'::regtype[]) OR y.typtype IN ('c', 'p')
                    THEN '-' WHEN y.typcategory = 'U' THEN '-' ELSE y.typcategory::text END AS category
        FROM given AS g
        LEFT JOIN pg_attribute AS a ON a.attrelid = target AND a.attname = g.name AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN pg_type AS y ON y.oid = a.atttypid
    )
    SELECT format('there is no field %s; the fields are %s', quote_ident(g.field), (SELECT string_agg(f.field, ', ' ORDER BY f.field) FROM fields AS f))
    FROM given AS g WHERE g.categories IS NULL
    UNION ALL
    SELECT format('it has no column %s; its columns are %s', quote_ident(f.name),
                  (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute AS a WHERE a.attrelid = target AND a.attnum > 0 AND NOT a.attisdropped))
    FROM found AS f WHERE f.categories IS NOT NULL AND f.attnum IS NULL
    UNION ALL
    SELECT format('column %s is named for %s', quote_ident(f.name), string_agg(f.field, ' and ' ORDER BY f.field))
    FROM found AS f WHERE f.attnum IS NOT NULL GROUP BY f.name HAVING count(*) > 1
    UNION ALL
    SELECT format('column %s is the key, so it cannot be the %s', quote_ident(f.name), f.field) FROM found AS f WHERE f.attnum IS NOT NULL AND f.name = key_column
    UNION ALL
    SELECT format('column %s is set by boardcast, so it cannot be the %s', quote_ident(f.name), f.field)
    FROM found AS f WHERE f.attnum IS NOT NULL AND f.name IN ('version_number', 'last_sync_at', 'last_modified_by')
    UNION ALL
    SELECT format('column %s is of type %s, but the %s has to be %s', quote_ident(f.name), f.type, f.field, f.wanted)
    FROM found AS f WHERE f.attnum IS NOT NULL AND strpos(f.categories, f.category) = 0
    UNION ALL
    SELECT format('column %s is virtual, so triggers do not see its value', quote_ident(f.name)) FROM found AS f WHERE f.attgenerated = 'v';
END
$$;

ALTER FUNCTION feed.field_obstacles(target regclass, columns jsonb) OWNER TO feed_owner;

--
-- Name: FUNCTION field_obstacles(target regclass, columns jsonb); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.field_obstacles(target regclass, columns jsonb) IS 'What keeps the named columns of a table from being the fields of cards; no row if nothing does. Used by feed.card_obstacles.';

--
-- Name: first_partition_since(xid8); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.first_partition_since(first xid8) RETURNS bigint
    LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
    AS $$
DECLARE
    partition_number bigint := pg_catalog.pg_sequence_last_value('feed.partition_number');
BEGIN
    IF first::pg_catalog.text::pg_catalog.int8
       OPERATOR(pg_catalog.>=) pg_catalog.pg_sequence_last_value('feed.partition_xid') THEN
        RETURN partition_number;
    END IF;
    RETURN (SELECT i.first_partition FROM feed.identity AS i);
END
$$;

ALTER FUNCTION feed.first_partition_since(first xid8) OWNER TO feed_owner;

--
-- Name: FUNCTION first_partition_since(first xid8); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.first_partition_since(first xid8) IS 'Earliest partition that transactions with this ID or a later one can have written to.';

--
-- Name: forget_users(); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.forget_users() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'feed', 'pg_temp'
    AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        DELETE FROM feed.board_members;
    ELSE
        DELETE FROM feed.board_members AS m
        WHERE m.user_id IN (SELECT feed.row_image(o.*) ->> TG_ARGV[0] FROM old_rows AS o);
    END IF;
    RETURN NULL;
END
$$;

ALTER FUNCTION feed.forget_users() OWNER TO feed_owner;

--
-- Name: FUNCTION forget_users(); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.forget_users() IS 'Trigger of users: removes the memberships of deleted users. Its argument is the key column.';

--
-- Name: parse_cursor(text); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.parse_cursor(cursor text, OUT feed_id text, OUT xmax xid8, OUT xip xid8[], OUT anchor bigint, OUT tag text) RETURNS record
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
    SELECT part[1], part[3]::xid8, progress.xip::text[]::xid8[], least(part[5]::numeric, 9223372036854775807)::bigint, part[6]
    FROM regexp_match(cursor,
        '^([0-9a-z]{1,32})[.](0|[1-9][0-9]{0,18})[.](0|[1-9][0-9]{0,18})[.]((?:0(?:-[1-9][0-9]{0,18})*)?)[.](0|[1-9][0-9]{0,18})[.]([0-9a-f]{8})$') AS part
    CROSS JOIN LATERAL (
        SELECT coalesce(array_agg(d.xid ORDER BY d.place), '{}') AS xip, max(d.xid) AS last
        FROM (SELECT d.place, part[2]::numeric + sum(d.distance::numeric) OVER (ORDER BY d.place) AS xid
              FROM unnest(string_to_array(nullif(part[4], ''), '-')) WITH ORDINALITY AS d(distance, place)) AS d
    ) AS progress
    WHERE length(cursor) <= 4096
      AND CASE WHEN progress.last IS NULL THEN part[2] = part[3] ELSE progress.last < part[3]::numeric END
$_$;

ALTER FUNCTION feed.parse_cursor(cursor text, OUT feed_id text, OUT xmax xid8, OUT xip xid8[], OUT anchor bigint, OUT tag text) OWNER TO feed_owner;

--
-- Name: FUNCTION parse_cursor(cursor text, OUT feed_id text, OUT xmax xid8, OUT xip xid8[], OUT anchor bigint, OUT tag text); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.parse_cursor(cursor text, OUT feed_id text, OUT xmax xid8, OUT xip xid8[], OUT anchor bigint, OUT tag text) IS 'The parts of a cursor. Its holder has seen all transactions below xmax except those in xip; anchor is the newest row of the log among them. All null if the cursor is malformed.';

--
-- Name: has_seen(text, xid8); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.has_seen(cursor text, xid xid8) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (SELECT ((has_seen.xid < c.xmax) AND (has_seen.xid <> ALL (c.xip))) FROM feed.parse_cursor(has_seen.cursor) c(feed_id, xmax, xip, anchor, tag));

ALTER FUNCTION feed.has_seen(cursor text, xid xid8) OWNER TO feed_owner;

--
-- Name: FUNCTION has_seen(cursor text, xid xid8); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.has_seen(cursor text, xid xid8) IS 'Whether a cursor covers a transaction (feed.trigger_log.xid). Null if the cursor is malformed.';

--
-- Name: hash_changes(bigint, xid8, bigint, xid8, bigint); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.hash_changes(partition bigint, after_xid xid8, after_seq bigint, upto_xid xid8, upto_seq bigint, OUT changes bigint, OUT first_seq bigint, OUT last_seq bigint, OUT hash text) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'feed', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS $$
DECLARE
    is_part CONSTANT boolean := after_xid = upto_xid AND upto_seq < 9223372036854775807;
    -- Not UTF-8: a text may have bytes that cannot be converted.
    encoding CONSTANT name := getdatabaseencoding();
BEGIN
    SELECT count(*), min(l.seq), max(l.seq), encode(sha256(coalesce(string_agg(sha256(convert_to(
               format('%L %L %L %L %L %L %L %L %L %L %L %L %L %L %L %L %L %L %L %L %L %L',
                      l.seq, l.xid, extract(epoch FROM l.at), l.relation, l.op, l.key, l.board,
                      -- Hashed by themselves: together, the texts of two large images could exceed what a text can hold.
                      encode(sha256(convert_to(l.old::text, encoding)), 'hex'), encode(sha256(convert_to(l.new::text, encoding)), 'hex'),
                      l.delta, l.image_hash, l.version, l.parents, l.actor, l.origin, l.traceparent, l.db_user, l.application,
                      l.client_addr, l.pid, l.notified, l.image_bytes), encoding)), '' ORDER BY l.xid, l.seq), '')), 'hex')
    INTO changes, first_seq, last_seq, hash
    FROM (SELECT p.* FROM feed.log AS p
          WHERE is_part AND p.partition_number = partition AND p.seq > after_seq AND p.seq <= upto_seq AND p.xid::text = upto_xid::text
          UNION ALL
          SELECT x.* FROM feed.log AS x
          WHERE NOT is_part AND x.partition_number = partition AND (x.xid, x.seq) > (after_xid, after_seq) AND (x.xid, x.seq) <= (upto_xid, upto_seq)) AS l;
END
$$;

ALTER FUNCTION feed.hash_changes(partition bigint, after_xid xid8, after_seq bigint, upto_xid xid8, upto_seq bigint, OUT changes bigint, OUT first_seq bigint, OUT last_seq bigint, OUT hash text) OWNER TO feed_owner;

--
-- Name: FUNCTION hash_changes(partition bigint, after_xid xid8, after_seq bigint, upto_xid xid8, upto_seq bigint, OUT changes bigint, OUT first_seq bigint, OUT last_seq bigint, OUT hash text); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.hash_changes(partition bigint, after_xid xid8, after_seq bigint, upto_xid xid8, upto_seq bigint, OUT changes bigint, OUT first_seq bigint, OUT last_seq bigint, OUT hash text) IS 'The number of rows of a partition of feed.log between two positions (xid, seq), and their hash. Used by feed.seal and feed.verify_seals.';

--
-- Name: image_after(text, text, bigint, text, jsonb, jsonb, integer); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.image_after(relation text, key text, seq bigint, op text, old jsonb, new jsonb, delta integer) RETURNS jsonb
    LANGUAGE sql STABLE
    RETURN CASE WHEN (delta IS NULL) THEN new WHEN (op = 'leave'::text) THEN (old || new) WHEN (delta = 0) THEN new ELSE feed.complete_image(relation, key, seq) END;

ALTER FUNCTION feed.image_after(relation text, key text, seq bigint, op text, old jsonb, new jsonb, delta integer) OWNER TO feed_owner;

--
-- Name: FUNCTION image_after(relation text, key text, seq bigint, op text, old jsonb, new jsonb, delta integer); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.image_after(relation text, key text, seq bigint, op text, old jsonb, new jsonb, delta integer) IS 'The whole row after a change, from the columns of feed.log (see feed.log.delta).';

--
-- Name: image_before(text, text, bigint, text, jsonb, jsonb, integer); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.image_before(relation text, key text, seq bigint, op text, old jsonb, new jsonb, delta integer) RETURNS jsonb
    LANGUAGE sql STABLE
    RETURN CASE WHEN ((delta IS NULL) OR (op = 'leave'::text)) THEN old WHEN (delta = 0) THEN (new || old) ELSE (feed.complete_image(relation, key, seq) || old) END;

ALTER FUNCTION feed.image_before(relation text, key text, seq bigint, op text, old jsonb, new jsonb, delta integer) OWNER TO feed_owner;

--
-- Name: FUNCTION image_before(relation text, key text, seq bigint, op text, old jsonb, new jsonb, delta integer); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.image_before(relation text, key text, seq bigint, op text, old jsonb, new jsonb, delta integer) IS 'The whole row before a change, from the columns of feed.log (see feed.log.delta).';

--
-- Name: relation_name(oid); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.relation_name(relation oid) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (SELECT CASE WHEN (c.oid = ((SELECT a.relation FROM feed.adopted a WHERE (a.role = 'opportunities'::text)))::oid) THEN 'opportunities'::text ELSE CASE WHEN ((n.nspname = 'public'::name) AND (c.relname <> 'opportunities'::name) AND (strpos((c.relname)::text, 'feed.'::text) <> 1)) THEN (c.relname)::text ELSE (((n.nspname)::text || '.'::text) || (c.relname)::text) END END AS "case" FROM (pg_class c JOIN pg_namespace n ON ((n.oid = c.relnamespace))) WHERE (c.oid = relation_name.relation));

ALTER FUNCTION feed.relation_name(relation oid) OWNER TO feed_owner;

--
-- Name: FUNCTION relation_name(relation oid); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.relation_name(relation oid) IS 'Name of a table as written in feed.log: opportunities for the table of the cards, otherwise qualified with its schema unless that is public, without quotes.';

--
-- Name: valid_traceparent(text); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.valid_traceparent(traceparent text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN (traceparent ~ '^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$'::text) THEN traceparent ELSE NULL::text END;

ALTER FUNCTION feed.valid_traceparent(traceparent text) OWNER TO feed_owner;

--
-- Name: FUNCTION valid_traceparent(traceparent text); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.valid_traceparent(traceparent text) IS 'A traceparent of feed.log; null if it is not a W3C trace context.';

--
-- Name: trigger_log; Type: VIEW; Schema: feed; Owner: feed_owner
--

CREATE VIEW feed.trigger_log AS
 SELECT l.seq,
    l.at,
    l.actor,
        CASE
            WHEN ((l.op = 'delete'::text) AND (EXISTS ( SELECT
               FROM (pg_constraint k
                 JOIN pg_attribute a ON (((a.attrelid = k.conrelid) AND (a.attnum = k.conkey[1]))))
              WHERE ((k.contype = 'f'::"char") AND (k.confdeltype = 'c'::"char") AND (cardinality(k.conkey) = 1) AND (feed.relation_name(k.conrelid) = l.relation) AND (EXISTS ( SELECT
                       FROM feed.log parent
                      WHERE ((parent.relation = feed.relation_name(k.confrelid)) AND (parent.key = (l.old ->> (a.attname)::text)) AND ((parent.xid >= l.xid) AND (parent.xid <= l.xid)) AND (parent.op = 'delete'::text))
                     OFFSET 0)))))) THEN 'cascade'::text
            WHEN (l.application ~~ 'boardcast-api%'::text) THEN 'api'::text
            WHEN (l.origin ~ '^(api|psql|migration|job|import|app)(:|$)'::text) THEN split_part(l.origin, ':'::text, 1)
            WHEN (l.application = 'psql'::text) THEN 'psql'::text
            WHEN (l.application ~* '(migrat|alembic|flyway|liquibase|drizzle-kit|prisma)'::text) THEN 'migration'::text
            WHEN (l.application ~* '(cron|job|worker|batch|queue|schedul)'::text) THEN 'job'::text
            WHEN (l.application <> ''::text) THEN 'app'::text
            ELSE 'unknown'::text
        END AS source,
    l.op,
    l.relation,
    l.key,
    l.board,
        CASE
            WHEN ((l.relation = 'opportunities'::text) AND (( SELECT n.names
               FROM feed.card_names() n(names)) ? 'title'::text)) THEN (feed.card_image(COALESCE(c.image, l.old), ( SELECT n.names
               FROM feed.card_names() n(names))) ->> 'title'::text)
            ELSE COALESCE((l.new ->> 'title'::text), (l.old ->> 'title'::text), (l.new ->> 'name'::text), (l.old ->> 'name'::text),
            CASE
                WHEN (l.delta > 0) THEN COALESCE((c.image ->> 'title'::text), (c.image ->> 'name'::text))
                ELSE NULL::text
            END)
        END AS title,
    ( SELECT string_agg(((((f.key || ': '::text) || feed.display_value((l.old -> f.key))) || ' -> '::text) || feed.display_value(f.value)), '; '::text ORDER BY f.key) AS string_agg
           FROM jsonb_each(l.new) f(key, value)
          WHERE ((l.old IS NOT NULL) AND (((l.delta IS NULL) AND (f.value IS DISTINCT FROM (l.old -> f.key))) OR ((l.delta IS NOT NULL) AND (l.old ? f.key))) AND (NOT ((l.relation = 'opportunities'::text) AND (f.key = ANY (ARRAY['version_number'::text, 'last_sync_at'::text])))))) AS changes,
    l.version,
    l.xid,
    ( SELECT
                CASE
                    WHEN (count(*) > 1000) THEN 'of more than 1000'::text
                    ELSE ((count(*) FILTER (WHERE (t.seq <= l.seq)) || ' of '::text) || count(*))
                END AS "case"
           FROM ( SELECT o.seq
                   FROM feed.log o
                  WHERE ((o.xid >= l.xid) AND (o.xid <= l.xid))
                 LIMIT 1001) t) AS step,
    l.origin,
    feed.valid_traceparent(l.traceparent) AS traceparent,
    l.application,
    l.client_addr,
    l.db_user,
    l.pid,
    l.notified,
    feed.image_before(l.relation, l.key, l.seq, l.op, l.old, l.new, l.delta) AS old,
    feed.image_after(l.relation, l.key, l.seq, l.op, l.old, l.new, l.delta) AS new
   FROM (feed.log l
     CROSS JOIN LATERAL ( SELECT feed.image_after(l.relation, l.key, l.seq, l.op, l.old, l.new, l.delta) AS image) c);

ALTER VIEW feed.trigger_log OWNER TO feed_owner;

--
-- Name: VIEW trigger_log; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON VIEW feed.trigger_log IS 'The change log in readable form: who changed which columns, from where, and in which transaction. For the newest changes, use ORDER BY seq DESC LIMIT 20. See also feed.tail, feed.history and feed.explain.';

--
-- Name: COLUMN trigger_log.seq; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.trigger_log.seq IS 'Sequence number of the change. It is not the commit order; see feed.changes_since.';

--
-- Name: COLUMN trigger_log.at; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.trigger_log.at IS 'When the change was written; its transaction committed later';

--
-- Name: COLUMN trigger_log.actor; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.trigger_log.actor IS 'Who made the change: feed.actor if the writer set it; otherwise last_modified_by if the statement set it; otherwise the database user';

--
-- Name: COLUMN trigger_log.source; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.trigger_log.source IS 'What made the change: cascade (deleted together with the row that it references with ON DELETE CASCADE); api (application_name starts with boardcast-api); the first part of feed.origin (api, psql, migration, job, import or app, before a colon); otherwise, from application_name: psql, migration, job, app (any other) or unknown (none)';

--
-- Name: COLUMN trigger_log.op; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.trigger_log.op IS 'insert, update, delete or truncate; leave and enter: one UPDATE that moved the row to another board; reload: a repair after which readers must load the table again';

--
-- Name: COLUMN trigger_log.relation; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.trigger_log.relation IS 'The table. Qualified with its schema unless that is public.';

--
-- Name: COLUMN trigger_log.key; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.trigger_log.key IS 'Primary key as text; a JSON array if it has several columns';

--
-- Name: COLUMN trigger_log.board; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.trigger_log.board IS 'Board whose clients receive the change; null: none';

--
-- Name: COLUMN trigger_log.title; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.trigger_log.title IS 'The title or name of the row, if it has such a column';

--
-- Name: COLUMN trigger_log.changes; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.trigger_log.changes IS 'Columns that an update changed, as column: old -> new, each value shortened to 60 characters. version_number and last_sync_at of opportunities are left out because they change with every update. The complete rows are in old and new.';

--
-- Name: COLUMN trigger_log.version; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.trigger_log.version IS 'version_number of the row, if the table has that column';

--
-- Name: COLUMN trigger_log.xid; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.trigger_log.xid IS 'Top-level transaction ID';

--
-- Name: COLUMN trigger_log.step; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.trigger_log.step IS 'Position among the changes of the transaction, such as 2 of 3. Changes are not numbered if there are more than 1000.';

--
-- Name: COLUMN trigger_log.origin; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.trigger_log.origin IS 'feed.origin: the request or client mutation that made the write';

--
-- Name: COLUMN trigger_log.traceparent; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.trigger_log.traceparent IS 'feed.traceparent: W3C trace context of the write. Its second part is the trace ID.';

--
-- Name: COLUMN trigger_log.application; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.trigger_log.application IS 'application_name';

--
-- Name: COLUMN trigger_log.client_addr; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.trigger_log.client_addr IS 'Client address; null for a Unix socket';

--
-- Name: COLUMN trigger_log.db_user; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.trigger_log.db_user IS 'session_user';

--
-- Name: COLUMN trigger_log.pid; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.trigger_log.pid IS 'Process ID of the backend';

--
-- Name: COLUMN trigger_log.notified; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.trigger_log.notified IS 'Whether the writing transaction sent NOTIFY. If not, the pacer sent it, or NOTIFY was switched off.';

--
-- Name: COLUMN trigger_log.old; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.trigger_log.old IS 'The row before the change';

--
-- Name: COLUMN trigger_log.new; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.trigger_log.new IS 'The row after the change';

--
-- Name: history(text, text); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.history(opportunity text, relation text DEFAULT 'opportunities'::text) RETURNS SETOF feed.trigger_log
    LANGUAGE sql STABLE
    BEGIN ATOMIC
 SELECT t.seq,
     t.at,
     t.actor,
     t.source,
     t.op,
     t.relation,
     t.key,
     t.board,
     t.title,
     t.changes,
     t.version,
     t.xid,
     t.step,
     t.origin,
     t.traceparent,
     t.application,
     t.client_addr,
     t.db_user,
     t.pid,
     t.notified,
     t.old,
     t.new
    FROM feed.trigger_log t
   WHERE ((t.relation = history.relation) AND (t.key = history.opportunity))
   ORDER BY t.seq;
END;

ALTER FUNCTION feed.history(opportunity text, relation text) OWNER TO feed_owner;

--
-- Name: FUNCTION history(opportunity text, relation text); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.history(opportunity text, relation text) IS 'All changes of one row, oldest first, even if the row was deleted: feed.history(''o1''), feed.history(''7'', relation => ''tasks'').';

--
-- Name: identify(); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.identify() RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'feed', 'pg_temp'
    AS $$
DECLARE
    here_system text := (SELECT system_identifier::text FROM pg_control_system());
    here_timeline text := left(pg_walfile_name(pg_current_wal_lsn()), 8);
    known feed.identity;
BEGIN
    SELECT * INTO known FROM feed.identity;
    IF (known.system_identifier, known.timeline) IS DISTINCT FROM (here_system, here_timeline) THEN
        -- If two instances get here at once, the second waits for the row lock and then finds nothing to renew.
        UPDATE feed.identity
        SET feed_id = feed.new_id(), system_identifier = here_system, timeline = here_timeline,
            renewed_at = clock_timestamp(),
            reason = CASE WHEN system_identifier = '' THEN 'install'
                          WHEN system_identifier IS DISTINCT FROM here_system THEN 'another cluster'
                          ELSE 'promotion' END
        WHERE (system_identifier, timeline) IS DISTINCT FROM (here_system, here_timeline);
        IF FOUND AND known.system_identifier NOT IN ('', here_system) THEN
            -- Transaction IDs start again and may be lower than those in the log, so everything written before is history
            -- from now on.
            PERFORM feed.rotate_partition();
            UPDATE feed.identity
            SET first_partition = feed.current_partition(), first_xid = pg_sequence_last_value('feed.partition_xid')::text::xid8, floor_xid = '0';
        END IF;
        SELECT * INTO known FROM feed.identity;
    END IF;
    -- The sequence is unlogged and is reset by a crash, but the setting that NOTIFY is switched off survives it.
    IF (pg_sequence_last_value('feed.notify_suppressed_until') IS NOT DISTINCT FROM 9007199254740991) <> (SELECT p.muted FROM feed.pacer AS p) THEN
        PERFORM setval('feed.notify_suppressed_until', CASE WHEN locked.muted THEN 9007199254740991 ELSE 0 END) FROM (SELECT p.muted FROM feed.pacer AS p FOR SHARE) AS locked;
    END IF;
    RETURN known.feed_id;
END
$$;

ALTER FUNCTION feed.identify() OWNER TO feed_owner;

--
-- Name: FUNCTION identify(); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.identify() IS 'The feed ID, which is part of every cursor. Renews it after a restore or a failover. Readers call it whenever they connect.';

--
-- Name: inexact_columns(oid); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.inexact_columns(target oid) RETURNS text[]
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    SELECT coalesce(array_agg(a.attname::text), '{}')
    FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
    WHERE a.attrelid = target AND a.attnum > 0 AND NOT a.attisdropped AND t.typtype <> 'e'
      AND t.oid <> ALL ('{bool,int2,int4,int8,numeric,text,varchar,bpchar,uuid,date,timestamp,timestamptz,jsonb,bytea}'::regtype[])
$$;

ALTER FUNCTION feed.inexact_columns(target oid) OWNER TO feed_owner;

--
-- Name: FUNCTION inexact_columns(target oid); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.inexact_columns(target oid) IS 'Columns of a table in which two different values may have the same JSON. Used by feed.compact_change.';

--
-- Name: json_text(text, oid); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.json_text(expression text, type oid) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    SELECT CASE WHEN type = ANY ('{text,varchar,uuid,int2,int4,int8,numeric}'::regtype[]) THEN format('%s::text', expression)
                WHEN feed.trusted_type(type) THEN format('(to_jsonb(%s) #>> ''{}'')', expression)
                WHEN EXISTS (SELECT FROM pg_type AS y WHERE y.oid = type AND y.typtype = 'e')
                     AND NOT EXISTS (SELECT FROM pg_cast AS c WHERE c.castsource = type) THEN feed.plain_text(expression, type)
                ELSE format('(feed.value_image(%s) #>> ''{}'')', expression) END
$$;

ALTER FUNCTION feed.json_text(expression text, type oid) OWNER TO feed_owner;

--
-- Name: FUNCTION json_text(expression text, type oid); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.json_text(expression text, type oid) IS 'SQL expression of a value''s text in a row image, which is not always that of a cast: character(n) keeps its blanks.';

--
-- Name: key_obstacles(regclass, text[]); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.key_obstacles(target regclass, key_columns text[]) RETURNS TABLE(reason text, hint text, code text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    named text := array_to_string(key_columns, ', ');
    wrong text;
    nearest record;
BEGIN
    code := 'invalid_table_definition';
    IF cardinality(key_columns) = 0 THEN
        reason := format('no key columns given for table %s', target);
        hint := 'Omit the argument to use the primary key, or name the columns with key => ''...''.';
        RETURN NEXT;
        RETURN;
    END IF;
    FOR wrong IN SELECT quote_ident(a.attname) FROM pg_attribute AS a
                 WHERE a.attrelid = target AND a.attname = ANY (key_columns) AND NOT a.attnotnull ORDER BY a.attnum LOOP
        reason := format('key (%s) of table %s does not identify every row: %s may be null', named, target, wrong);
        hint := format('Use ALTER TABLE %s ALTER COLUMN %s SET NOT NULL.', target, wrong);
        RETURN NEXT;
    END LOOP;
    FOR wrong IN SELECT quote_ident(a.attname) FROM pg_attribute AS a
                 WHERE a.attrelid = target AND a.attname = ANY (key_columns) AND a.attgenerated <> '' ORDER BY a.attnum LOOP
        reason := format('key (%s) of table %s would change with other columns: %s is generated', named, target, wrong);
        hint := 'Name a unique column that is not generated, with key => ''...''.';
        RETURN NEXT;
    END LOOP;
    -- The index that comes closest determines the message.
    SELECT i.indpred IS NOT NULL AS partial, i.indisvalid, i.indimmediate, i.indisunique INTO nearest
    FROM pg_index AS i
    WHERE i.indrelid = target AND i.indexprs IS NULL
      AND ARRAY(SELECT a.attname::text
                FROM unnest(i.indkey) WITH ORDINALITY AS k(attnum, place)
                JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
                WHERE k.place <= i.indnkeyatts
                ORDER BY 1) = ARRAY(SELECT DISTINCT k FROM unnest(key_columns) AS k ORDER BY 1)
    ORDER BY i.indisunique DESC, i.indpred IS NULL DESC, i.indisvalid DESC, i.indimmediate DESC LIMIT 1;
    wrong := CASE WHEN nearest.indisunique IS NOT TRUE THEN ''
                  WHEN nearest.partial THEN ': its index covers only some rows'
                  WHEN NOT nearest.indisvalid THEN ': its index is invalid because its creation failed'
                  WHEN NOT nearest.indimmediate THEN ': its constraint is deferrable, so two rows may have the same key until it is checked' END;
    IF wrong IS NOT NULL THEN
        reason := format('key (%s) of table %s is not unique%s', named, target, wrong);
        hint := 'Add a PRIMARY KEY or UNIQUE constraint on exactly these columns, for all rows, not deferrable.';
        RETURN NEXT;
    END IF;
END
$$;

ALTER FUNCTION feed.key_obstacles(target regclass, key_columns text[]) OWNER TO feed_owner;

--
-- Name: FUNCTION key_obstacles(target regclass, key_columns text[]); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.key_obstacles(target regclass, key_columns text[]) IS 'Why columns do not identify the rows of a table: each reason, what to do, and the SQLSTATE; no row if they do. Used by feed.attach.';

--
-- Name: later_triggers(); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.later_triggers() RETURNS TABLE(relation regclass, name text, is_last boolean)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    SELECT t.tgrelid::regclass, t.tgname::text,
           NOT EXISTS (SELECT FROM pg_trigger AS o WHERE o.tgrelid = t.tgrelid AND o.tgfoid = to_regproc('feed.version_opportunity') AND o.tgname > t.tgname AND o.tgenabled <> 'D')
    FROM pg_trigger AS t
    WHERE t.tgrelid = feed.opportunities_table() AND t.tgname > 'zz_feed_version' AND t.tgtype & 19 = 19 AND t.tgenabled <> 'D'
      AND t.tgfoid IS DISTINCT FROM to_regproc('feed.version_opportunity')
$$;

ALTER FUNCTION feed.later_triggers() OWNER TO feed_owner;

--
-- Name: FUNCTION later_triggers(); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.later_triggers() IS 'BEFORE UPDATE triggers of the application on the table of the opportunities that run after zz_feed_version; is_last: no trigger of boardcast runs after this one, so it can set another version. See feed.mend_versions.';

--
-- Name: lock_tables(regclass[], text, interval); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.lock_tables(targets regclass[], mode text DEFAULT 'ACCESS EXCLUSIVE'::text, patience interval DEFAULT '00:01:00'::interval) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    give_up timestamptz := clock_timestamp() + patience;
    before text := current_setting('lock_timeout');
    attempt_ends timestamptz;
    target regclass;
BEGIN
    PERFORM set_config('lock_timeout', greatest(1, extract(epoch FROM patience) * 1000)::integer::text, true);
    FOREACH target IN ARRAY targets LOOP
        EXECUTE format('LOCK TABLE %s IN SHARE UPDATE EXCLUSIVE MODE', target);
    END LOOP;
    LOOP
        BEGIN
            attempt_ends := clock_timestamp() + interval '0.4 s';
            FOREACH target IN ARRAY targets LOOP
                PERFORM set_config('lock_timeout', greatest(1, extract(milliseconds FROM attempt_ends - clock_timestamp())::integer)::text, true);
                EXECUTE format('LOCK TABLE %s IN %s MODE', target, mode);
            END LOOP;
            PERFORM set_config('lock_timeout', before, true);
            RETURN;
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            IF clock_timestamp() > give_up THEN
                RAISE;
            END IF;
        END;
        PERFORM pg_sleep(0.2 + 0.3 * random());
    END LOOP;
EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
    RAISE EXCEPTION 'table % could not be locked for %: transactions have used it for longer', target, patience
        USING ERRCODE = 'lock_not_available',
              HINT = concat_ws(' ', 'Nothing was changed. Try again after these sessions have ended their transactions:', (
                  SELECT string_agg(DISTINCT format('pid %s (%s)', l.pid, coalesce(nullif(s.application_name, ''), s.usename, s.backend_type, 'unknown')), ', ')
                  FROM pg_locks AS l LEFT JOIN pg_stat_activity AS s USING (pid)
                  WHERE l.relation = target AND l.granted AND l.pid <> pg_backend_pid()));
END
$$;

ALTER FUNCTION feed.lock_tables(targets regclass[], mode text, patience interval) OWNER TO feed_owner;

--
-- Name: FUNCTION lock_tables(targets regclass[], mode text, patience interval); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.lock_tables(targets regclass[], mode text, patience interval) IS 'Locks tables in short attempts, so that no writer waits for longer than one attempt. Raises lock_not_available after the given time. Used by feed.mend and feed.attach.';

--
-- Name: log_change(oid, text, text, text[], jsonb, jsonb, boolean, boolean, boolean); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.log_change(target oid, relation text, board_column text, key_columns text[], before jsonb, after jsonb, named boolean, nested boolean, sends_notify boolean) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'feed', 'pg_temp'
    AS $$
#variable_conflict use_variable
DECLARE
    written bigint;
BEGIN
    INSERT INTO feed.log (relation, op, key, board, old, new, delta, image_hash, version, parents,
                          actor, origin, db_user, application, client_addr, pid, notified, image_bytes)
    SELECT relation, CASE WHEN changed.key IS NULL THEN 'reload' ELSE step.op END, changed.key,
           CASE WHEN step.op IN ('leave', 'delete') THEN changed.board_before ELSE changed.board_after END,
           CASE WHEN compact.delta IS NULL THEN before ELSE compact.old END,
           CASE WHEN compact.delta IS NULL THEN after ELSE compact.new END, compact.delta, compact.image_hash,
           feed.version_number(coalesce(after, before)), nullif(current_setting('feed.parents', true), '')::integer[],
           coalesce(nullif(current_setting('feed.actor', true), ''), 
                    CASE WHEN named OR before -> 'last_modified_by' IS DISTINCT FROM after -> 'last_modified_by'
                         THEN after ->> 'last_modified_by' END, session_user),
           nullif(current_setting('feed.origin', true), ''),
           session_user, current_setting('application_name'), inet_client_addr(), pg_backend_pid(), sends_notify,
           CASE WHEN compact.delta IS NULL THEN nullif(greatest(pg_column_size(before), pg_column_size(after), 65536), 65536)
                ELSE compact.image_bytes END
    FROM (SELECT feed.short_key(feed.row_key(coalesce(after, before), key_columns)) AS key,
                 coalesce(before ->> board_column, feed.missing_column(target, before, ARRAY[board_column])) AS board_before,
                 coalesce(after ->> board_column, feed.missing_column(target, after, ARRAY[board_column])) AS board_after) AS changed
    CROSS JOIN LATERAL unnest(
        CASE WHEN before IS NULL THEN '{insert}'::text[]
             WHEN after IS NULL THEN '{delete}'::text[]
             WHEN changed.board_before IS DISTINCT FROM changed.board_after THEN '{leave,enter}'::text[]
             ELSE '{update}'::text[] END) WITH ORDINALITY AS step(op, place)
    LEFT JOIN LATERAL feed.compact_change(target, relation, step.op, changed.key, before, after) AS compact
        ON before IS NOT NULL AND after IS NOT NULL AND NOT nested
    ORDER BY step.place;
    GET DIAGNOSTICS written = ROW_COUNT;
    RETURN written;
END
$$;

ALTER FUNCTION feed.log_change(target oid, relation text, board_column text, key_columns text[], before jsonb, after jsonb, named boolean, nested boolean, sends_notify boolean) OWNER TO feed_owner;

--
-- Name: FUNCTION log_change(target oid, relation text, board_column text, key_columns text[], before jsonb, after jsonb, named boolean, nested boolean, sends_notify boolean); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.log_change(target oid, relation text, board_column text, key_columns text[], before jsonb, after jsonb, named boolean, nested boolean, sends_notify boolean) IS 'Logs the change of one row, from its images before and after. Used by feed.capture.';

--
-- Name: log_partitions(); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.log_partitions(OUT partition regclass, OUT bounds text, OUT first_seq bigint, OUT first_at timestamp with time zone, OUT last_seq bigint, OUT last_at timestamp with time zone) RETURNS SETOF record
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'feed', 'pg_temp'
    AS $$
BEGIN
    FOR partition, bounds IN
        SELECT c.oid::regclass, pg_get_expr(c.relpartbound, c.oid)
        FROM pg_class AS c
        WHERE c.relkind = 'r'
          AND (c.oid = 'feed.log'::regclass OR c.oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'feed.log'::regclass))
    LOOP
        first_seq := NULL;
        first_at := NULL;
        last_seq := NULL;
        last_at := NULL;
        EXECUTE format('SELECT seq, at FROM %s ORDER BY seq LIMIT 1', partition) INTO first_seq, first_at;
        EXECUTE format('SELECT seq, at FROM %s ORDER BY seq DESC LIMIT 1', partition) INTO last_seq, last_at;
        RETURN NEXT;
    END LOOP;
END
$$;

ALTER FUNCTION feed.log_partitions(OUT partition regclass, OUT bounds text, OUT first_seq bigint, OUT first_at timestamp with time zone, OUT last_seq bigint, OUT last_at timestamp with time zone) OWNER TO feed_owner;

--
-- Name: FUNCTION log_partitions(OUT partition regclass, OUT bounds text, OUT first_seq bigint, OUT first_at timestamp with time zone, OUT last_seq bigint, OUT last_at timestamp with time zone); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.log_partitions(OUT partition regclass, OUT bounds text, OUT first_seq bigint, OUT first_at timestamp with time zone, OUT last_seq bigint, OUT last_at timestamp with time zone) IS 'Partitions of feed.log, with the first and the last row of each. See feed.retention.';

--
-- Name: log_reload(text, text); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.log_reload(relation_name text, why text) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'feed', 'pg_temp'
    AS $$
DECLARE
    written bigint;
BEGIN
    -- Readers may see this row as soon as it is committed, so a crash must not be able to undo the commit.
    IF current_setting('synchronous_commit') = 'off' THEN
        PERFORM set_config('synchronous_commit', 'local', true);
    END IF;
    INSERT INTO feed.log (relation, op, actor, origin, db_user, application, client_addr, pid)
    VALUES (relation_name, 'reload', coalesce(nullif(current_setting('feed.actor', true), ''), session_user), why,
            session_user, current_setting('application_name'), inet_client_addr(), pg_backend_pid())
    RETURNING seq INTO written;
    PERFORM pg_notify('boardcast', '');
    IF why = 'attach' AND relation_name IN ('feed.board_members', 'feed.flags') THEN
        PERFORM feed.reset_feed(format('%s was attached again', relation_name));
    END IF;
    RETURN written;
END
$$;

ALTER FUNCTION feed.log_reload(relation_name text, why text) OWNER TO feed_owner;

--
-- Name: FUNCTION log_reload(relation_name text, why text); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.log_reload(relation_name text, why text) IS 'Logs that readers must load a table again, with this origin (attach or repair). Returns the sequence number of the log row.';

--
-- Name: maintain(); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.maintain() RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'feed', 'pg_temp'
    SET lock_timeout TO '200ms'
    AS $$
DECLARE
    plan feed.maintenance;
    ahead text;
    dropped record;
BEGIN
    SELECT * INTO plan FROM feed.maintenance FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    -- What has been written to a partition that was created empty is in the log, so its end must not go unnoticed.
    UPDATE feed.attached AS a
    SET partitions = ARRAY(SELECT DISTINCT p FROM unnest(a.partitions || feed.created_partitions(a.relation)) AS p ORDER BY p)
    WHERE NOT a.partitions @> feed.created_partitions(a.relation);
    -- The application may rename a column twice before the next migration.
    PERFORM feed.note_columns();
    DELETE FROM feed.gap_reports WHERE at < clock_timestamp() - plan.retention;
    -- Read under the lock: a partition number from before it may be that of the partition that is current by now.
    ahead := format('feed.log_%s', current_partition() + 1);
    IF to_regclass(ahead) IS NULL THEN
        BEGIN
            PERFORM feed.make_partition(current_partition() + 1);
        EXCEPTION WHEN lock_not_available THEN
            RETURN NULL;
        END;
        RETURN format('created %s', ahead);
    END IF;
    -- The retention period spans about ten partitions. An empty partition stays current.
    IF clock_timestamp() - plan.rotated_at > plan.retention / 9
       AND EXISTS (SELECT FROM feed.log AS l WHERE l.partition_number = current_partition()) THEN
        RETURN format('started feed.log_%s', feed.rotate_partition());
    END IF;
    SELECT * INTO dropped FROM feed.prune(clock_timestamp() - plan.retention);
    RETURN format('dropped %s with %s rows', dropped.partition, dropped.forgotten)
    WHERE dropped.partition IS NOT NULL;
END
$$;

ALTER FUNCTION feed.maintain() OWNER TO feed_owner;

--
-- Name: FUNCTION maintain(); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.maintain() IS 'Creates the next partition of feed.log in advance, switches to it when it is due, and drops partitions older than feed.maintenance.retention. One step per call; returns a description of it, or null.';

--
-- Name: make_partition(bigint); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.make_partition(number bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'feed', 'pg_temp'
    AS $$
BEGIN
    EXECUTE format('CREATE TABLE feed.log_%s (LIKE feed.log) '
                   'WITH (autovacuum_freeze_min_age = 0, autovacuum_vacuum_insert_scale_factor = 0.05)', number);
    EXECUTE format('COMMENT ON TABLE feed.log_%s IS %L', number, 'Partition of feed.log. Dropped when all its rows are older than the retention period.');
    LOCK TABLE feed.identity IN ACCESS EXCLUSIVE MODE;
    EXECUTE format('ALTER TABLE feed.log ATTACH PARTITION feed.log_%s FOR VALUES FROM (%s) TO (%s)', number, number, number + 1);
END
$$;

ALTER FUNCTION feed.make_partition(number bigint) OWNER TO feed_owner;

--
-- Name: FUNCTION make_partition(number bigint); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.make_partition(number bigint) IS 'Creates a partition of feed.log that is not being written yet.';

--
-- Name: mapped_column(regclass, jsonb); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.mapped_column(target regclass, mapping jsonb) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
    RETURN coalesce(
        (SELECT a.attname::text FROM pg_attribute AS a
         WHERE a.attrelid = target AND target::oid::bigint = (mapping -> 'table')::bigint AND a.attnum = (mapping -> 'number')::smallint AND NOT a.attisdropped),
        (SELECT a.attname::text FROM jsonb_array_elements_text(mapping -> 'names') WITH ORDINALITY AS n(name, place)
         JOIN pg_attribute AS a ON a.attrelid = target AND a.attname = n.name AND a.attnum > 0 AND NOT a.attisdropped
         ORDER BY n.place DESC LIMIT 1));
END
$$;

ALTER FUNCTION feed.mapped_column(target regclass, mapping jsonb) OWNER TO feed_owner;

--
-- Name: FUNCTION mapped_column(target regclass, mapping jsonb); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.mapped_column(target regclass, mapping jsonb) IS 'Present name of the column that an entry of feed.adopted.columns is about; null if it was dropped.';

--
-- Name: marked_text(jsonb); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.marked_text(image jsonb) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
BEGIN
    IF jsonb_typeof(image) = 'object' AND image - '$text' = '{}' AND jsonb_typeof(image -> '$text') = 'string' THEN
        PERFORM (image ->> '$text')::jsonb;
    END IF;
    RETURN NULL;
EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
    RETURN image ->> '$text';
END
$_$;

ALTER FUNCTION feed.marked_text(image jsonb) OWNER TO feed_owner;

--
-- Name: FUNCTION marked_text(image jsonb); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.marked_text(image jsonb) IS 'The text of a value that jsonb cannot hold (see feed.value_image); otherwise null.';

--
-- Name: matches_any(text, oid, text); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.matches_any(expression text, type oid, given text) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
    SELECT CASE
        WHEN b.name IN ('text', 'character varying', 'character', 'name') THEN format('%s = ANY (%s::%s[])', expression, given, t.cast)
        WHEN t.cast IS NOT NULL
        THEN format('%s = ANY (ARRAY(SELECT CASE WHEN g.v ~* %L THEN g.v::%s END FROM unnest(%s) AS g(v)))', expression, t.form, t.cast, given)
        ELSE format('%s = ANY (%s)', feed.json_text(expression, type), given) END
    FROM (SELECT format_type(CASE y.typtype WHEN 'd' THEN y.typbasetype ELSE y.oid END, NULL) AS name FROM pg_type AS y WHERE y.oid = type) AS b
    LEFT JOIN (VALUES ('text', 'text', NULL), ('character varying', 'text', NULL), ('character', 'bpchar', NULL), ('name', 'name', NULL),
                      ('smallint', 'bigint', '^-?[0-9]{1,18}$'), ('integer', 'bigint', '^-?[0-9]{1,18}$'), ('bigint', 'bigint', '^-?[0-9]{1,18}$'),
                      ('numeric', 'numeric', '^-?[0-9]+([.][0-9]+)?$'),
                      ('uuid', 'uuid', '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$')) AS t(name, "cast", form) ON t.name = b.name
$_$;

ALTER FUNCTION feed.matches_any(expression text, type oid, given text) OWNER TO feed_owner;

--
-- Name: FUNCTION matches_any(expression text, type oid, given text); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.matches_any(expression text, type oid, given text) IS 'SQL condition that an expression of this type equals one of the values in an array of text.';

--
-- Name: mend(); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.mend() RETURNS SETOF text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    command text;
BEGIN
    RETURN QUERY SELECT feed.mend_structure();
    WHILE EXISTS (SELECT FROM feed.adopted AS a WHERE a.restoring IS NOT NULL) LOOP
        RETURN QUERY SELECT feed.mend_rows(10000);
    END LOOP;
    FOR command IN SELECT feed.board_index() LOOP
        EXECUTE replace(command, ' CONCURRENTLY', '');
    END LOOP;
END
$$;

ALTER FUNCTION feed.mend() OWNER TO feed_owner;

--
-- Name: FUNCTION mend(); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.mend() IS 'Restores the columns, indexes, triggers and privileges that boardcast needs on tables of the application, and returns what it did. boardcast migrate does this without making writers wait.';

--
-- Name: mend_boards(); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.mend_boards() RETURNS SETOF text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
    stages text := feed.stage_source();
    users record := feed.user_columns();
    made text[];
    grown record;
BEGIN
    IF stages IS NULL OR EXISTS (SELECT FROM feed.adopted AS a WHERE a.role = 'opportunities' AND a.created) THEN
        RETURN;
    END IF;
    EXECUTE format($query$
        WITH new AS (
            INSERT INTO feed.boards (id, name, phases)
            SELECT r.board_id, CASE r.board_id WHEN 'main' THEN 'Main' ELSE r.board_id END,
                   coalesce(jsonb_agg(jsonb_build_object('id', r.phase, 'name', r.phase) ORDER BY r.phase) FILTER (WHERE r.phase IS NOT NULL), '[]')
            FROM (%s
                  UNION
                  SELECT 'main', NULL WHERE NOT EXISTS (SELECT FROM feed.boards) AND %L) AS r
            WHERE r.board_id IS NOT NULL AND NOT EXISTS (SELECT FROM feed.boards AS b WHERE b.id = r.board_id)
            GROUP BY r.board_id
            RETURNING id
        )
        SELECT array_agg(n.id ORDER BY n.id) FROM new AS n
    $query$, stages, EXISTS (SELECT FROM feed.field_columns() AS f LEFT JOIN feed.adopted AS a ON a.role = 'opportunities'
                             WHERE f.field = 'board_id' AND (f.name IS NULL OR 'board_id' = ANY (a.added)))) INTO made;
    IF made IS NOT NULL AND users.key_column IS NOT NULL THEN
        INSERT INTO feed.board_members (board_id, user_id, role)
        SELECT b.id, u.id, 'editor' FROM unnest(made) AS b(id)
        CROSS JOIN unnest(feed.run_as_owner(users.target, format('SELECT array_agg(to_jsonb(u.%I) #>> ''{}'') FROM %s AS u', users.key_column, users.target))) AS u(id)
        WHERE u.id IS NOT NULL
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN QUERY SELECT 'created board ' || b.id FROM unnest(made) AS b(id);
    FOR grown IN
        SELECT m.board AS id, array_agg(m.stage ORDER BY m.stage) AS stages
        FROM feed.missing_stages() AS m WHERE NOT m.is_new GROUP BY m.board ORDER BY m.board
    LOOP
        UPDATE feed.boards AS b
        SET phases = b.phases || (SELECT jsonb_agg(jsonb_build_object('id', s.stage, 'name', s.stage) ORDER BY s.place)
                                  FROM unnest(grown.stages) WITH ORDINALITY AS s(stage, place))
        WHERE b.id = grown.id;
        RETURN QUERY SELECT format('added stage %s to board %s', s.stage, grown.id) FROM unnest(grown.stages) AS s(stage);
    END LOOP;
END
$_$;

ALTER FUNCTION feed.mend_boards() OWNER TO feed_owner;

--
-- Name: FUNCTION mend_boards(); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.mend_boards() IS 'Creates the boards that the opportunities of an application are on, with all users as editors, and adds the stages that boards lack. Used by feed.mend.';

--
-- Name: mend_columns(); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.mend_columns() RETURNS SETOF text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    target regclass := feed.opportunities_table();
    was_created boolean := (SELECT a.created FROM feed.adopted AS a WHERE a.role = 'opportunities');
    default_board text := coalesce(feed.default_board(), 'main');
    wanted record;
    lost text[];
    read_until bigint := 0;
    newest bigint := 0;
BEGIN
    SELECT array_agg(m.name ORDER BY m.place) FILTER (WHERE m.was_there) INTO lost FROM feed.missing_columns() AS m;
    IF 'version_number' = ANY (lost) THEN
        -- The whole log is read before the table is locked, and what has come since then afterward.
        SELECT coalesce(max(l.seq), 0), coalesce(max(coalesce(l.version, l.seq % 2147483647)), 0) INTO read_until, newest
        FROM feed.log AS l WHERE l.relation = 'opportunities';
    END IF;
    FOR wanted IN SELECT m.* FROM feed.missing_columns() AS m ORDER BY m.place LOOP
        PERFORM feed.lock_tables(feed.application_tables());
        IF wanted.was_there AND wanted.name = 'version_number' THEN
            -- Greater than all versions that clients may have seen.
            SELECT greatest(newest, max(coalesce(l.version, l.seq % 2147483647))) INTO newest
            FROM feed.log AS l WHERE l.relation = 'opportunities' AND l.seq > read_until;
        END IF;
        EXECUTE format('ALTER TABLE %s ADD COLUMN %I %s', target, wanted.name,
            CASE WHEN wanted.was_there AND wanted.name = 'board_id' THEN format('text NOT NULL DEFAULT %L', default_board)
                 WHEN wanted.was_there AND wanted.name = 'version_number' THEN format('integer NOT NULL DEFAULT %s', newest + 1)
                 WHEN was_created AND wanted.name = 'board_id'
                 THEN wanted.definition || ' CONSTRAINT opportunities_board_id_fkey REFERENCES feed.boards (id) ON DELETE CASCADE'
                 ELSE wanted.definition END);
        IF wanted.was_there AND wanted.name IN ('board_id', 'version_number') THEN
            EXECUTE format('ALTER TABLE %s ALTER COLUMN %I SET DEFAULT %s', target, wanted.name, substring(wanted.definition FROM 'DEFAULT (.*)'));
        END IF;
        IF NOT wanted.was_there THEN
            UPDATE feed.adopted AS a SET added = a.added || wanted.name WHERE a.role = 'opportunities';
        END IF;
        RETURN NEXT 'added column ' || wanted.name;
    END LOOP;
    IF lost IS NOT NULL THEN
        UPDATE feed.adopted AS a
        SET restoring = jsonb_build_object(
            'columns', (SELECT jsonb_agg(DISTINCT c) FROM (SELECT unnest(lost) UNION ALL SELECT jsonb_array_elements_text(a.restoring -> 'columns')) AS n(c)),
            'board', default_board, 'rows', 0, 'until', coalesce(a.restoring -> 'until', to_jsonb(pg_sequence_last_value('feed.log_seq'))))
        WHERE a.role = 'opportunities';
    END IF;
    IF was_created AND target IS NOT NULL AND NOT EXISTS (
        SELECT FROM pg_constraint AS k WHERE k.conrelid = target AND k.contype = 'f' AND k.confrelid = to_regclass('feed.boards')) THEN
        PERFORM feed.lock_tables(feed.application_tables());
        EXECUTE format('ALTER TABLE %s ADD CONSTRAINT opportunities_board_id_fkey FOREIGN KEY (board_id) REFERENCES feed.boards (id) ON DELETE CASCADE NOT VALID', target);
    END IF;
END
$$;

ALTER FUNCTION feed.mend_columns() OWNER TO feed_owner;

--
-- Name: FUNCTION mend_columns(); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.mend_columns() IS 'Adds missing columns to the table of the opportunities, under a lock that is held for a moment. Used by feed.mend.';

--
-- Name: mend_former_users(); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.mend_former_users() RETURNS SETOF text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    each record;
BEGIN
    FOR each IN
        SELECT t.tgname AS name, t.tgrelid::regclass AS relation FROM pg_trigger AS t
        WHERE t.tgfoid = 'feed.forget_users()'::regprocedure AND NOT t.tgisinternal AND t.tgparentid = 0 AND t.tgrelid <> feed.users_table()
        ORDER BY t.tgrelid::regclass::text, t.tgname
    LOOP
        BEGIN
            PERFORM feed.lock_tables(feed.application_tables());
            EXECUTE format('DROP TRIGGER %I ON %s', each.name, each.relation);
        EXCEPTION WHEN insufficient_privilege THEN
            RETURN NEXT format('could not drop trigger %s on %s: only the owner can', each.name, each.relation);
            CONTINUE;
        END;
        RETURN NEXT format('dropped trigger %s on %s', each.name, each.relation);
    END LOOP;
END
$$;

ALTER FUNCTION feed.mend_former_users() OWNER TO feed_owner;

--
-- Name: FUNCTION mend_former_users(); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.mend_former_users() IS 'Drops the triggers on the previous table of users, after feed.adopt has named another one. Used by feed.mend.';

--
-- Name: mend_privileges(); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.mend_privileges() RETURNS SETOF text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    each record;
    object text;
BEGIN
    FOR each IN
        SELECT a.role AS adopted, g.entry, c.oid::regclass AS relation, t.attname AS column_name, n.nspname AS schema_name,
               -- Revoking a privilege on a table also revokes it on the columns.
               (SELECT string_agg(quote_ident(k.attname), ', ' ORDER BY k.attnum)
                FROM pg_attribute AS k CROSS JOIN LATERAL aclexplode(k.attacl) AS x
                WHERE k.attrelid = c.oid AND NOT k.attisdropped AND x.privilege_type = g.entry ->> 'privilege' AND x.grantee = to_regrole(g.entry ->> 'role')
                  AND NOT g.entry ? 'column') AS other_columns
        FROM feed.adopted AS a
        CROSS JOIN LATERAL jsonb_array_elements(a.granted) WITH ORDINALITY AS g(entry, place)
        LEFT JOIN pg_class AS c ON c.oid = (g.entry ->> 'table')::oid
        LEFT JOIN pg_attribute AS t ON t.attrelid = c.oid AND t.attnum = (g.entry ->> 'column')::smallint AND NOT t.attisdropped
        LEFT JOIN pg_namespace AS n ON n.nspname = g.entry ->> 'schema'
        WHERE NOT EXISTS (SELECT FROM feed.needed_grants() AS w WHERE w.entry = g.entry)
        ORDER BY a.role, g.entry ? 'schema', g.place
    LOOP
        -- What was dropped has no privileges.
        IF num_nulls(each.relation::text, each.schema_name) = 1 AND (each.entry ? 'column') = (each.column_name IS NOT NULL) THEN
            object := CASE WHEN each.entry ? 'schema' THEN format(' ON SCHEMA %I', each.schema_name)
                           WHEN each.entry ? 'column' THEN format(' (%I) ON %s', each.column_name, each.relation) ELSE format(' ON %s', each.relation) END;
            BEGIN
                EXECUTE format('REVOKE %s%s FROM %I', each.entry ->> 'privilege', object, each.entry ->> 'role');
                IF each.other_columns IS NOT NULL THEN
                    EXECUTE format('GRANT %s (%s) ON %s TO %I', each.entry ->> 'privilege', each.other_columns, each.relation, each.entry ->> 'role');
                END IF;
            EXCEPTION WHEN insufficient_privilege THEN
                RETURN NEXT format('could not revoke %s%s from %s: only the owner can', each.entry ->> 'privilege', object, each.entry ->> 'role');
                CONTINUE;
            END;
            RETURN NEXT format('revoked %s%s from %s', each.entry ->> 'privilege', object, each.entry ->> 'role');
        END IF;
        UPDATE feed.adopted AS a SET granted = (SELECT coalesce(jsonb_agg(g.entry), '[]') FROM jsonb_array_elements(a.granted) AS g(entry) WHERE g.entry <> each.entry)
        WHERE a.role = each.adopted;
    END LOOP;
    FOR each IN
        SELECT w.adopted, w.relation, w.schema_name, w.entry ->> 'role' AS role, jsonb_agg(w.entry) AS entries,
               CASE WHEN bool_or(w.entry ? 'column') THEN format('SELECT (%s)', string_agg(quote_ident(w.column_name), ', ' ORDER BY (w.entry ->> 'column')::smallint))
                    ELSE string_agg(w.entry ->> 'privilege', ', ' ORDER BY array_position('{SELECT,INSERT,UPDATE,DELETE}', w.entry ->> 'privilege')) END AS privileges
        FROM feed.needed_grants() AS w WHERE NOT w.is_granted
        GROUP BY w.adopted, w.relation, w.schema_name, w.entry ->> 'role'
        ORDER BY w.relation IS NOT NULL, w.adopted, w.entry ->> 'role'
    LOOP
        object := CASE WHEN each.relation IS NULL THEN format('SCHEMA %I', each.schema_name) ELSE each.relation::text END;
        EXECUTE format('GRANT %s ON %s TO %I', each.privileges, object, each.role);
        UPDATE feed.adopted AS a SET granted = a.granted || each.entries WHERE a.role = each.adopted;
        RETURN NEXT format('granted %s on %s to %s', each.privileges, object, each.role);
    END LOOP;
END
$$;

ALTER FUNCTION feed.mend_privileges() OWNER TO feed_owner;

--
-- Name: FUNCTION mend_privileges(); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.mend_privileges() IS 'Grants the services what they need on users and opportunities, and revokes what boardcast granted them on tables that are no longer used. Used by feed.mend.';

--
-- Name: mend_rows(integer); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.mend_rows(size integer) RETURNS SETOF text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
    source record := feed.opportunity_source();
    work jsonb := (SELECT a.restoring FROM feed.adopted AS a WHERE a.role = 'opportunities' FOR UPDATE);
    columns text[] := ARRAY(SELECT c FROM jsonb_array_elements_text(work -> 'columns') AS c WHERE c NOT IN ('version_number', 'last_sync_at')
                            AND EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = source.target AND a.attname = c AND a.attnum > 0 AND NOT a.attisdropped));
    keys text[] := '{}';
    -- Those of them that have an image, and their images.
    found_keys text[];
    found_images jsonb[];
    key_type oid := (SELECT a.atttypid FROM pg_attribute AS a WHERE a.attrelid = source.target AND a.attname = source.key_column);
    restored integer := 0;
BEGIN
    IF work IS NULL THEN
        RETURN;
    END IF;
    IF columns <> '{}' THEN
        keys := ARRAY(SELECT DISTINCT l.key FROM feed.log AS l
                      WHERE l.relation = 'opportunities' AND l.key > coalesce(work ->> 'after', '') ORDER BY l.key LIMIT size);
        SELECT array_agg(k.key), array_agg(l.new) INTO found_keys, found_images
        FROM unnest(keys) AS k(key)
        CROSS JOIN LATERAL (SELECT i.new
                            FROM (SELECT l.seq, feed.image_after(l.relation, l.key, l.seq, l.op, l.old, l.new, l.delta) AS new
                                  FROM feed.log AS l
                                  WHERE l.relation = 'opportunities' AND l.key = k.key AND l.seq <= (work ->> 'until')::bigint
                                    AND l.op IN ('insert', 'update', 'enter')) AS i
                            WHERE i.new ?& columns ORDER BY i.seq DESC LIMIT 1) AS l
        WHERE NOT 'board_id' = ANY (columns) OR EXISTS (SELECT FROM feed.boards AS b WHERE b.id = l.new ->> 'board_id');
        restored := (feed.run_as_owner(source.target, format($query$
            WITH restored AS (
                UPDATE %1$s AS o SET %2$s
                FROM (SELECT u.key, u.new FROM unnest($1, $2) AS u(key, new) OFFSET 0) AS k CROSS JOIN LATERAL jsonb_populate_record(NULL::%1$s, k.new) AS was
                WHERE %5$s AND %6$s = k.key AND (%3$s) IS DISTINCT FROM (%4$s)
                RETURNING 1
            )
            SELECT ARRAY[count(*)::text] FROM restored
        $query$, source.target,
            (SELECT string_agg(format('%1$I = %2$s', c.name, c.restored), ', ') FROM feed.restored_columns(source.target, columns, work ->> 'board') AS c),
            (SELECT string_agg(format('o.%I', c), ', ') FROM unnest(columns) AS c),
            (SELECT string_agg(c.restored, ', ') FROM feed.restored_columns(source.target, columns, work ->> 'board') AS c),
            CASE WHEN feed.trusted_type(key_type) THEN source.by_key ELSE 'true' END,
            CASE WHEN feed.trusted_type(key_type) THEN source.id_text ELSE format('(to_jsonb(o.%I) #>> ''{}'')', source.key_column) END), found_keys, found_images))[1];
    END IF;
    work := work || jsonb_build_object('after', keys[cardinality(keys)], 'rows', (work ->> 'rows')::integer + restored);
    UPDATE feed.adopted AS a SET restoring = CASE WHEN cardinality(keys) = size THEN work END WHERE a.role = 'opportunities';
    IF cardinality(keys) < size THEN
        PERFORM feed.log_reload('opportunities', 'repair');
        RETURN NEXT format('restored %s in %s rows from the log', (SELECT string_agg(c, ', ') FROM jsonb_array_elements_text(work -> 'columns') AS c), work ->> 'rows');
    END IF;
END
$_$;

ALTER FUNCTION feed.mend_rows(size integer) OWNER TO feed_owner;

--
-- Name: FUNCTION mend_rows(size integer); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.mend_rows(size integer) IS 'Restores the values of dropped columns in the next rows, at most size, that the log has; after the last ones makes all readers load the opportunities again, and returns a line. Used by feed.mend.';

--
-- Name: mend_structure(); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.mend_structure() RETURNS SETOF text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
    UPDATE feed.adopted AS a SET relation = n.relation
    FROM (SELECT w.role, to_regclass(coalesce(w.name, 'public.' || w.role)) AS relation FROM feed.adopted AS w) AS n
    WHERE n.role = a.role AND n.relation IS NOT NULL AND NOT EXISTS (SELECT FROM pg_class AS c WHERE c.oid = a.relation);
    INSERT INTO feed.adopted (role, relation, created)
    SELECT 'users', feed.users_table(), false
    WHERE feed.users_table() IS NOT NULL AND EXISTS (SELECT FROM feed.adopted AS a WHERE a.role = 'opportunities')
    ON CONFLICT DO NOTHING;

    RETURN QUERY SELECT feed.note_columns();
    RETURN QUERY SELECT feed.mend_boards();
    RETURN QUERY SELECT feed.mend_privileges();
    RETURN QUERY SELECT feed.mend_columns();
    RETURN QUERY SELECT feed.mend_triggers();
    RETURN QUERY SELECT feed.mend_versions();
    RETURN QUERY SELECT feed.mend_former_users();
END
$$;

ALTER FUNCTION feed.mend_structure() OWNER TO feed_owner;

--
-- Name: FUNCTION mend_structure(); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.mend_structure() IS 'Restores boards, columns, triggers and privileges, and returns what it did. End the transaction right after it, so that its locks are held only for a moment. Used by feed.mend.';

--
-- Name: mend_triggers(); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.mend_triggers() RETURNS SETOF text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
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

ALTER FUNCTION feed.mend_triggers() OWNER TO feed_owner;

--
-- Name: FUNCTION mend_triggers(); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.mend_triggers() IS 'Attaches tables again that have lost triggers or whose columns were renamed, and creates the other triggers that are missing. Used by feed.mend.';

--
-- Name: mend_versions(); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.mend_versions() RETURNS SETOF text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    first record;
    wanted name;
    each record;
BEGIN
    SELECT t.tgrelid, t.tgrelid::regclass AS relation, convert_from(substr(t.tgargs, 1, octet_length(t.tgargs) - 1), 'SQL_ASCII') AS argument INTO first
    FROM pg_trigger AS t WHERE t.tgrelid = feed.opportunities_table() AND t.tgname = 'zz_feed_version' AND octet_length(t.tgargs) > 0;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    wanted := (SELECT CASE WHEN octet_length(l.name) <= 55 THEN l.name || '_version' END FROM feed.later_triggers() AS l ORDER BY l.name COLLATE "C" DESC LIMIT 1);
    FOR each IN
        SELECT t.tgname AS name FROM pg_trigger AS t
        WHERE t.tgrelid = first.tgrelid AND t.tgfoid = 'feed.version_opportunity()'::regprocedure AND t.tgname <> 'zz_feed_version'
          AND (t.tgname IS DISTINCT FROM wanted OR t.tgargs <> (SELECT f.tgargs FROM pg_trigger AS f WHERE f.tgrelid = t.tgrelid AND f.tgname = 'zz_feed_version'))
    LOOP
        PERFORM feed.lock_tables(feed.application_tables());
        EXECUTE format('DROP TRIGGER %I ON %s', each.name, first.relation);
        RETURN NEXT format('dropped trigger %s on %s', each.name, first.relation);
    END LOOP;
    IF wanted IS NOT NULL AND NOT EXISTS (SELECT FROM pg_trigger AS t WHERE t.tgrelid = first.tgrelid AND t.tgname = wanted) THEN
        PERFORM feed.lock_tables(feed.application_tables());
        EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION feed.version_opportunity(%L)', wanted, first.relation, first.argument);
        RETURN NEXT format('created trigger %s on %s', wanted, first.relation);
    END IF;
END
$$;

ALTER FUNCTION feed.mend_versions() OWNER TO feed_owner;

--
-- Name: FUNCTION mend_versions(); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.mend_versions() IS 'Ensures that the last BEFORE UPDATE trigger of the opportunities increments the version. Used by feed.mend.';

--
-- Name: missing_column(regclass, jsonb, text[]); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.missing_column(target regclass, data jsonb, columns text[]) RETURNS text
    LANGUAGE plpgsql STABLE COST 1
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    current text[];
BEGIN
    IF data ?& columns THEN
        RETURN NULL;
    END IF;
    current := feed.current_columns(target, columns);
    IF array_position(current, NULL) IS NULL THEN
        RETURN feed.row_key(data, current);
    END IF;
    IF target = feed.opportunities_table() AND columns = (SELECT ARRAY[a.board] FROM feed.attached AS a WHERE a.relation = target) THEN
        RETURN feed.default_board();
    END IF;
    RETURN NULL;
END
$$;

ALTER FUNCTION feed.missing_column(target regclass, data jsonb, columns text[]) OWNER TO feed_owner;

--
-- Name: FUNCTION missing_column(target regclass, data jsonb, columns text[]); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.missing_column(target regclass, data jsonb, columns text[]) IS 'The value of columns that a row does not have under the names given in feed.attach; null if they were dropped, or are null. Used by feed.capture if it finds no key or board.';

--
-- Name: missing_columns(); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.missing_columns() RETURNS TABLE(place integer, name text, definition text, was_there boolean)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    SELECT w.place, w.name, w.definition, w.name = ANY (k.added)
    FROM (VALUES (1, 'notes', 'text', true),
                 (2, 'phase', 'text NOT NULL DEFAULT ''''', false),
                 (3, 'title', 'text NOT NULL DEFAULT ''''', false),
                 (4, 'value', 'numeric(14, 2)', true),
                 (5, 'company', 'text', true),
                 (6, 'contact', 'text', true),
                 (7, 'board_id', 'text NOT NULL DEFAULT ''main''', false),
                 (8, 'currency', 'text NOT NULL DEFAULT ''BRL''', true),
                 (9, 'owner_id', 'text', true),
                 (10, 'position', 'text NOT NULL DEFAULT ''a0''', false),
                 (11, 'created_at', 'timestamptz NOT NULL DEFAULT now()', true),
                 (12, 'probability', 'integer', true),
                 (13, 'last_sync_at', 'timestamptz NOT NULL DEFAULT now()', true),
                 (14, 'version_number', 'integer NOT NULL DEFAULT 1', false),
                 (15, 'last_modified_by', 'text', true),
                 (16, 'expected_close_date', 'date', true)) AS w(place, name, definition, created_only)
    JOIN feed.adopted AS k ON k.role = 'opportunities'
    CROSS JOIN (SELECT feed.opportunities_table() AS target) AS t
    WHERE t.target IS NOT NULL AND (k.created OR NOT w.created_only)
      AND NOT EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = t.target AND a.attname = w.name AND NOT a.attisdropped)
      AND NOT EXISTS (SELECT FROM feed.field_columns() AS f WHERE f.field = w.name AND f.name IS NOT NULL)
$$;

ALTER FUNCTION feed.missing_columns() OWNER TO feed_owner;

--
-- Name: FUNCTION missing_columns(); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.missing_columns() IS 'The columns that the table of the opportunities lacks, in the order in which they are added. was_there: it was added before, and has been dropped since. Used by feed.mend.';

--
-- Name: missing_stages(); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.missing_stages() RETURNS TABLE(board text, stage text, is_new boolean)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
    stages text := feed.stage_source();
BEGIN
    -- Where a column is missing, or its values have yet to be restored, rows are not where they belong.
    IF stages IS NULL OR EXISTS (SELECT FROM feed.adopted AS a WHERE a.role = 'opportunities' AND a.created OR a.restoring IS NOT NULL)
       OR EXISTS (SELECT FROM feed.field_columns() AS f WHERE f.field IN ('board_id', 'phase') AND f.name IS NULL) THEN
        RETURN;
    END IF;
    RETURN QUERY EXECUTE format($query$
        SELECT r.board_id, r.phase, b.id IS NULL
        FROM (%s) AS r
        LEFT JOIN feed.boards AS b ON b.id = r.board_id
        WHERE r.board_id IS NOT NULL
          AND (b.id IS NULL OR jsonb_typeof(b.phases) = 'array' AND r.phase <> ''
                               AND NOT jsonb_path_exists(b.phases, '$[*].id ? (@ == $stage)', jsonb_build_object('stage', r.phase)))
    $query$, stages);
END
$_$;

ALTER FUNCTION feed.missing_stages() OWNER TO feed_owner;

--
-- Name: FUNCTION missing_stages(); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.missing_stages() IS 'Stages that rows of the application are in and their boards lack; is_new: there is no such board yet. Used by feed.mend_boards and boardcast migrate --check.';

--
-- Name: mute_notify(); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.mute_notify() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM pg_catalog.setval('feed.notify_suppressed_until', CASE WHEN NEW.muted THEN 9007199254740991 ELSE 0 END);
    RETURN NULL;
END
$$;

ALTER FUNCTION feed.mute_notify() OWNER TO feed_owner;

--
-- Name: FUNCTION mute_notify(); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.mute_notify() IS 'Trigger of feed.pacer: switches NOTIFY off or on when feed.set_notify is committed.';

--
-- Name: names_author(text, text, text); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.names_author(statement text, table_schema text, table_name text) RETURNS boolean
    LANGUAGE plpgsql STABLE
    AS $$
#variable_conflict use_variable
DECLARE
    stack text;
    target text;
    part text;
    texts CONSTANT text := '''[^'']*''';
    part_of_update CONSTANT text := '((?!\m(where|returning|update)\M).)*';
BEGIN
    IF pg_catalog.octet_length(statement) OPERATOR(pg_catalog.>) 10000 THEN
        statement := NULL;
    END IF;
    -- Almost every statement is one UPDATE without a subquery. The regular expression at the end would cost as much as half of the
    -- write.
    IF pg_catalog.strpos(statement, '''') OPERATOR(pg_catalog.>) 0 THEN
        statement := pg_catalog.regexp_replace(statement, texts, '', 'g');
    END IF;
    IF statement OPERATOR(pg_catalog.!~) '\t|select |.update ' THEN
        RETURN pg_catalog.strpos(pg_catalog.split_part(pg_catalog.split_part(pg_catalog.replace(statement, E'\n', ' '), ' where ', 1), ' returning ', 1),
                                 'last_modified_by') OPERATOR(pg_catalog.>) 0;
    END IF;
    -- The first two lines are this function's and that of feed.capture. If no function runs the UPDATE, nothing follows. Otherwise the
    -- next line that names a function of PL/pgSQL belongs to the caller of the statement. The other words of the line are in the
    -- language of lc_messages.
    GET DIAGNOSTICS stack = PG_CONTEXT;
    statement := pg_catalog.regexp_replace(stack, '^[^\n]*\n[^\n]*|\n[^\n]*PL/pgSQL.*', '', 'g');
    IF statement OPERATOR(pg_catalog.=) '' THEN
        statement := pg_catalog.current_query();
        SELECT p.statement INTO statement FROM pg_catalog.pg_prepared_statements AS p
        WHERE p.name OPERATOR(pg_catalog.=) (pg_catalog.parse_ident(pg_catalog.substring(statement, '(?i)^\s*execute\s+("(?:[^"]|"")+"|\w+)')))[1];
        IF NOT FOUND THEN
            statement := pg_catalog.current_query();
        END IF;
    END IF;
    -- What is set stands near the beginning or the end. Each of a thousand UPDATEs in one text would read all of it otherwise.
    IF pg_catalog.octet_length(statement) OPERATOR(pg_catalog.>) 10000 THEN
        statement := pg_catalog.concat(pg_catalog.regexp_replace(pg_catalog.left(statement, 4000), texts, '', 'g'),
            pg_catalog.reverse(pg_catalog.regexp_replace(pg_catalog.reverse(pg_catalog.right(statement, 4000)), texts, '', 'g')));
    END IF;
    IF statement OPERATOR(pg_catalog.!~~*) '%last_modified_by%' THEN
        RETURN false;
    END IF;
    -- Function calls and subqueries may have conditions of their own, or more such parentheses.
    FOREACH part IN ARRAY ARRAY[texts, '\w\([^()]*\)', '\w\([^()]*\)', '\(\s*select\M[^()]*\)', '\(\s*select\M[^()]*\)'] LOOP
        statement := pg_catalog.regexp_replace(statement, part, '', 'gi');
    END LOOP;
    -- A statement may have several parts, which update several tables: UPDATE, INSERT ... ON CONFLICT and MERGE name theirs.
    target := pg_catalog.concat('("?', pg_catalog.regexp_replace(table_schema, '(\W)', '\\\1', 'g'), '"?\s*[.]\s*)?"?',
                                pg_catalog.regexp_replace(table_name, '(\W)', '\\\1', 'g'), '(?!\w)');
    RETURN statement OPERATOR(pg_catalog.~*) pg_catalog.concat('(\mupdate\s+(only\s+)?', target, '|\minto\s+', target, '.*\mupdate\M)',
                                                               part_of_update, '\mset\M', part_of_update, '\mlast_modified_by\M');
END
$$;

ALTER FUNCTION feed.names_author(statement text, table_schema text, table_name text) OWNER TO feed_owner;

--
-- Name: FUNCTION names_author(statement text, table_schema text, table_name text); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.names_author(statement text, table_schema text, table_name text) IS 'Whether the running UPDATE of this table sets last_modified_by. Used by feed.capture.';

--
-- Name: needed_grants(); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.needed_grants() RETURNS TABLE(adopted text, entry jsonb, relation regclass, schema_name text, column_name text, is_granted boolean)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    WITH tables AS (
        SELECT a.role, a.role = 'users' AND a.name IS NOT NULL AS by_column, c.oid, c.relnamespace FROM feed.adopted AS a JOIN pg_class AS c ON c.oid = a.relation
    ), needed AS (
        SELECT t.role, g.role AS grantee, p.privilege, t.oid, t.relnamespace, NULL::smallint AS attnum, NULL::name AS attname
        FROM tables AS t
        JOIN (VALUES ('opportunities', 'feed_app', 'SELECT, INSERT, UPDATE, DELETE'), ('opportunities', 'feed_listener', 'SELECT'),
                     ('opportunities', 'feed_dba', 'SELECT'), ('users', 'feed_app', 'SELECT, INSERT, UPDATE, DELETE'), ('users', 'feed_dba', 'SELECT')
             ) AS g(adopted, role, privileges) ON g.adopted = t.role
        CROSS JOIN LATERAL unnest(string_to_array(g.privileges, ', ')) AS p(privilege)
        WHERE NOT t.by_column
        UNION ALL
        SELECT t.role, g.role, 'SELECT', t.oid, t.relnamespace, a.attnum, a.attname
        FROM tables AS t
        CROSS JOIN feed.user_columns() AS u
        JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attname IN (u.key_column, u.name_column) AND a.attnum > 0 AND NOT a.attisdropped
        CROSS JOIN unnest('{feed_app,feed_dba}'::text[]) AS g(role)
        WHERE t.by_column
    )
    SELECT n.role, jsonb_strip_nulls(jsonb_build_object('role', n.grantee, 'privilege', n.privilege, 'table', n.oid::bigint, 'column', n.attnum)),
           n.oid::regclass, NULL::text, n.attname::text,
           CASE WHEN n.attnum IS NULL THEN has_table_privilege(n.grantee, n.oid, n.privilege) ELSE has_column_privilege(n.grantee, n.oid, n.attnum, n.privilege) END
    FROM needed AS n
    UNION ALL
    SELECT min(n.role), jsonb_build_object('role', n.grantee, 'privilege', 'USAGE', 'schema', s.nspname), NULL, s.nspname::text, NULL,
           has_schema_privilege(n.grantee, s.oid, 'USAGE')
    FROM needed AS n JOIN pg_namespace AS s ON s.oid = n.relnamespace
    GROUP BY s.oid, s.nspname, n.grantee
$$;

ALTER FUNCTION feed.needed_grants() OWNER TO feed_owner;

--
-- Name: FUNCTION needed_grants(); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.needed_grants() IS 'The privileges that the services need on tables of the application and their schemas, each as feed.adopted.granted has it, and whether they have it. Used by feed.mend_privileges.';

--
-- Name: new_id(); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.new_id() RETURNS text
    LANGUAGE sql
    RETURN "left"(replace((gen_random_uuid())::text, '-'::text, ''::text), 10);

ALTER FUNCTION feed.new_id() OWNER TO feed_owner;

--
-- Name: FUNCTION new_id(); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.new_id() IS 'A new feed ID: ten hexadecimal digits.';

--
-- Name: normalize_image(regclass, jsonb); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.normalize_image(target regclass, image jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
    normalized jsonb;
BEGIN
    IF target IS NULL THEN
        RETURN NULL;
    END IF;
    EXECUTE pg_catalog.format('SELECT feed.typed_image(NULL::%s, $1)', target) INTO normalized USING image;
    RETURN normalized;
END
$_$;

ALTER FUNCTION feed.normalize_image(target regclass, image jsonb) OWNER TO feed_owner;

--
-- Name: FUNCTION normalize_image(target regclass, image jsonb); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.normalize_image(target regclass, image jsonb) IS 'A row image from the log, written the way the table would give it now: feed.normalize_image(''tasks'', new).';

--
-- Name: note_adoption(regclass, jsonb, regclass, jsonb); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.note_adoption(cards regclass, columns jsonb, people regclass, user_columns jsonb) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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
            FROM jsonb_each(excluded.columns) AS e)
$$;

ALTER FUNCTION feed.note_adoption(cards regclass, columns jsonb, people regclass, user_columns jsonb) OWNER TO feed_owner;

--
-- Name: FUNCTION note_adoption(cards regclass, columns jsonb, people regclass, user_columns jsonb); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.note_adoption(cards regclass, columns jsonb, people regclass, user_columns jsonb) IS 'Writes into feed.adopted which table is the board, and which columns hold the fields. Used by feed.adopt_table.';

--
-- Name: note_closings(text[]); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.note_closings(keys text[]) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    names jsonb := (SELECT n.names FROM feed.card_names() AS n);
    noted bigint;
BEGIN
    INSERT INTO feed.opportunity_details AS d (opportunity_id, board_id, closed_phase, closed_at, close_reason)
    SELECT c.id, c.board_id, c.closed_phase,
           CASE WHEN c.closed_phase IS NOT NULL THEN coalesce(
               CASE WHEN known.closed_phase = c.closed_phase THEN known.closed_at END,
               (SELECT l.at FROM feed.log AS l
                WHERE l.relation = 'opportunities' AND l.key = c.id
                  AND (l.op IN ('insert', 'enter')
                       OR l.op = 'update' AND (l.delta IS NULL OR feed.card_image(l.old, names) ? 'phase')
                          AND feed.card_image(l.old, names) ->> 'phase' IS DISTINCT FROM feed.card_image(l.new, names) ->> 'phase')
                ORDER BY l.seq DESC LIMIT 1),
               (SELECT s.at FROM feed.stage_changes AS s WHERE s.board_id = feed.short_text(c.board_id) AND s.opportunity_id = feed.short_text(c.id)
                                                               AND s.to_phase = feed.short_text(c.closed_phase) ORDER BY s.seq DESC LIMIT 1),
               clock_timestamp()) END,
           CASE WHEN known.closed_phase = c.closed_phase THEN known.close_reason END
    FROM (SELECT o.id, o.board_id,
                 CASE WHEN feed.stage_kind(b.phases, o.body ->> 'phase') IN ('won', 'lost') THEN o.body ->> 'phase' END AS closed_phase
          FROM feed.opportunities_of(keys) AS o JOIN feed.boards AS b ON b.id = o.board_id
          WHERE feed.short_key(o.id) = o.id) AS c -- a longer one may not fit into an index, and the log has only its hash
    LEFT JOIN feed.opportunity_details AS known ON known.opportunity_id = c.id
    WHERE (known.closed_phase IS DISTINCT FROM c.closed_phase) OR known.board_id <> c.board_id
    ORDER BY c.id -- so that two sessions do not wait for each other's rows
    ON CONFLICT (opportunity_id) DO UPDATE
    SET board_id = excluded.board_id, closed_phase = excluded.closed_phase, closed_at = excluded.closed_at, close_reason = excluded.close_reason
    WHERE (d.board_id, d.closed_phase) IS DISTINCT FROM (excluded.board_id, excluded.closed_phase);
    GET DIAGNOSTICS noted = ROW_COUNT;
    RETURN noted;
END
$$;

ALTER FUNCTION feed.note_closings(keys text[]) OWNER TO feed_owner;

--
-- Name: FUNCTION note_closings(keys text[]); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.note_closings(keys text[]) IS 'Notes in feed.opportunity_details which of these opportunities are in a stage of kind won or lost, and since when. Returns how many rows it changed.';

--
-- Name: note_columns(); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.note_columns() RETURNS SETOF text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    each record;
BEGIN
    PERFORM feed.note_layouts();
    UPDATE feed.attached AS a
    SET numbered = a.relation,
        columns = (SELECT coalesce(jsonb_object_agg(c.attname, c.attnum), '{}') FROM pg_attribute AS c
                   WHERE c.attrelid = a.relation AND c.attname = ANY (a.key || a.board || a.excluded) AND NOT c.attisdropped)
    WHERE a.numbered <> a.relation::oid AND EXISTS (SELECT FROM pg_class AS c WHERE c.oid = a.relation);
    FOR each IN
        SELECT m.role, m.field, m.mapping -> 'names' AS names, c.attname::text AS name,
               jsonb_build_object('names', CASE WHEN m.mapping -> 'names' ->> -1 = c.attname THEN m.mapping -> 'names'
                                                ELSE coalesce(m.mapping -> 'names', '[]') || to_jsonb(c.attname) END,
                                  'number', c.attnum, 'table', c.attrelid::bigint) AS present, m.mapping
        FROM (SELECT a.role, a.relation, e.key AS field, e.value AS mapping, feed.mapped_column(a.relation, e.value) AS name
              FROM feed.adopted AS a CROSS JOIN LATERAL jsonb_each(a.columns) AS e
              UNION ALL
              SELECT a.role, a.relation, f.field, NULL, f.name
              FROM feed.adopted AS a CROSS JOIN LATERAL feed.field_columns() AS f
              WHERE a.role = 'opportunities' AND f.field IN ('phase', 'owner_id') AND NOT a.columns ? f.field
                AND EXISTS (SELECT FROM pg_attribute AS t JOIN pg_type AS y ON y.oid = t.atttypid
                            WHERE t.attrelid = a.relation AND t.attname = f.name AND (y.typcategory IN ('N', 'B')))) AS m
        JOIN pg_attribute AS c ON c.attrelid = m.relation AND c.attname = m.name
    LOOP
        IF each.present IS DISTINCT FROM each.mapping THEN
            UPDATE feed.adopted AS a SET columns = a.columns || jsonb_build_object(each.field, each.present) WHERE a.role = each.role;
            IF each.names ->> -1 <> each.name THEN
                RETURN NEXT format('noted that column %s is now %s', each.names ->> -1, each.name);
            END IF;
        END IF;
    END LOOP;
END
$$;

ALTER FUNCTION feed.note_columns() OWNER TO feed_owner;

--
-- Name: FUNCTION note_columns(); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.note_columns() IS 'Records the current names and numbers of the columns that were named in feed.adopt and feed.attach, and the columns of the attached tables. Used by feed.mend and feed.maintain.';

--
-- Name: note_layouts(); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.note_layouts() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    logged bigint := coalesce(pg_sequence_last_value('feed.log_seq'), 0);
    each record;
BEGIN
    FOR each IN
        SELECT a.relation, n.columns, a.numbered <> a.relation::oid AS restored
        FROM feed.attached AS a
        JOIN pg_class AS c ON c.oid = a.relation
        CROSS JOIN LATERAL (SELECT feed.table_layout(a.relation) AS columns OFFSET 0) AS n
        WHERE n.columns IS DISTINCT FROM a.layouts -> -1 -> 'columns'
          -- A transaction that alters the table now may have logged something that is not committed. It is noted the next time.
          AND NOT EXISTS (SELECT FROM pg_locks AS l
                          WHERE l.locktype = 'relation' AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
                            AND l.relation = a.relation AND l.mode = 'AccessExclusiveLock' AND l.granted AND l.pid <> pg_backend_pid())
    LOOP
        UPDATE feed.attached AS a
        SET layouts = a.layouts || jsonb_build_object('after', logged, 'upto', coalesce(pg_sequence_last_value('feed.log_seq'), 0),
                                                      'restored', each.restored, 'columns', each.columns)
        WHERE a.relation = each.relation;
    END LOOP;
END
$$;

ALTER FUNCTION feed.note_layouts() OWNER TO feed_owner;

--
-- Name: FUNCTION note_layouts(); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.note_layouts() IS 'Notes the columns of each attached table if they have changed since they were noted last. Used by feed.attach and feed.note_columns.';

--
-- Name: notify_presence(); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.notify_presence() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    -- If NOTIFY is switched off, the services see the change when they renew their leases.
    IF pg_catalog.pg_sequence_last_value('feed.notify_suppressed_until') OPERATOR(pg_catalog.=) 9007199254740991 THEN
        RETURN NULL;
    END IF;
    PERFORM pg_catalog.pg_notify('boardcast_presence', '');
    RETURN NULL;
END
$$;

ALTER FUNCTION feed.notify_presence() OWNER TO feed_owner;

--
-- Name: FUNCTION notify_presence(); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.notify_presence() IS 'Trigger of user_presence: NOTIFY boardcast_presence when a user arrives, leaves or starts editing.';

--
-- Name: opportunities_of(text[]); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.opportunities_of(keys text[]) RETURNS TABLE(id text, board_id text, version_number integer, place text, body jsonb)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    source record := feed.opportunity_source();
BEGIN
    IF source.target IS NOT NULL THEN
        RETURN QUERY EXECUTE source.row_source || ' WHERE ' || source.by_key USING keys;
    END IF;
END
$$;

ALTER FUNCTION feed.opportunities_of(keys text[]) OWNER TO feed_owner;

--
-- Name: FUNCTION opportunities_of(keys text[]); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.opportunities_of(keys text[]) IS 'Those of the opportunities with these IDs that exist; the columns are those of feed.opportunities_on.';

--
-- Name: opportunities_on(text[]); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.opportunities_on(boards text[]) RETURNS TABLE(id text, board_id text, version_number integer, place text, body jsonb)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    source record := feed.opportunity_source();
BEGIN
    IF source.target IS NOT NULL THEN
        RETURN QUERY EXECUTE source.row_source || ' WHERE ' || source.by_board USING boards;
    END IF;
END
$$;

ALTER FUNCTION feed.opportunities_on(boards text[]) OWNER TO feed_owner;

--
-- Name: FUNCTION opportunities_on(boards text[]); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.opportunities_on(boards text[]) IS 'The opportunities of some boards, with their IDs as in the log and their rows as JSON. place sorts them within a phase.';

--
-- Name: opportunities_page(text[], text, integer); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.opportunities_page(boards text[], after text, size integer) RETURNS TABLE(id text, body jsonb)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
    source record := feed.opportunity_source();
    key_type oid := (SELECT a.atttypid FROM pg_attribute AS a WHERE a.attrelid = source.target AND a.attname = source.key_column);
    -- A domain would check the key with the rights of the caller.
    base_type text := (SELECT format_type(CASE y.typtype WHEN 'd' THEN y.typbasetype ELSE y.oid END, NULL) FROM pg_type AS y WHERE y.oid = key_type);
    key text := format('o.%I', source.key_column);
BEGIN
    IF source.target IS NOT NULL THEN
        IF NOT feed.trusted_type(key_type) OR EXISTS (SELECT FROM pg_type AS y JOIN pg_type AS b ON b.oid = y.typbasetype WHERE y.oid = key_type AND b.typtype = 'd') THEN
            key := feed.json_text(key, key_type);
            base_type := 'text';
        END IF;
        RETURN QUERY EXECUTE format('SELECT s.id, s.body FROM (%1$s WHERE %2$s AND ($2 IS NULL OR %3$s > $2::%4$s) ORDER BY %3$s LIMIT $3) AS s',
                                    source.row_source, source.by_board, key, base_type) USING boards, after, size;
    END IF;
END
$_$;

ALTER FUNCTION feed.opportunities_page(boards text[], after text, size integer) OWNER TO feed_owner;

--
-- Name: FUNCTION opportunities_page(boards text[], after text, size integer); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.opportunities_page(boards text[], after text, size integer) IS 'The next opportunities on some boards, ordered by their key.';

--
-- Name: opportunities_table(); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.opportunities_table() RETURNS regclass
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    SELECT a.relation FROM feed.adopted AS a JOIN pg_class AS c ON c.oid = a.relation WHERE a.role = 'opportunities'
$$;

ALTER FUNCTION feed.opportunities_table() OWNER TO feed_owner;

--
-- Name: FUNCTION opportunities_table(); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.opportunities_table() IS 'The table whose rows are the cards of the boards, also after it was renamed or moved to another schema; null: none, or it was dropped.';

--
-- Name: opportunity_image(jsonb, text, text, bigint); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.opportunity_image(image jsonb, key text, board text, version bigint) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN ((jsonb_typeof((image -> 'id'::text)) = 'string'::text) AND (jsonb_typeof((image -> 'board_id'::text)) = 'string'::text) AND (image ? 'version_number'::text)) THEN image ELSE ((jsonb_build_object('version_number', version) || image) || jsonb_build_object('id', key, 'board_id', board)) END;

ALTER FUNCTION feed.opportunity_image(image jsonb, key text, board text, version bigint) OWNER TO feed_owner;

--
-- Name: FUNCTION opportunity_image(image jsonb, key text, board text, version bigint); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.opportunity_image(image jsonb, key text, board text, version bigint) IS 'An image from the log as clients get it: with id and board_id as text, and with a version, whatever columns the table has.';

--
-- Name: opportunity_source(); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.opportunity_source(OUT target regclass, OUT key_column text, OUT board_column text, OUT complete boolean, OUT id_text text, OUT version_text text, OUT row_source text, OUT by_key text, OUT by_board text) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
    names jsonb := (SELECT n.names FROM feed.card_names() AS n);
    place_column text;
    key_type oid;
    board_type oid;
    place_type oid;
    has_version boolean;
    board_text text;
    image text;
BEGIN
    target := feed.opportunities_table();
    SELECT max(f.name) FILTER (WHERE f.field = 'id'), max(f.name) FILTER (WHERE f.field = 'board_id'), max(f.name) FILTER (WHERE f.field = 'position')
    INTO key_column, board_column, place_column FROM feed.field_columns() AS f;
    IF target IS NULL OR key_column IS NULL THEN
        target := NULL;
        RETURN;
    END IF;
    SELECT max(a.atttypid::bigint) FILTER (WHERE a.attname = key_column), max(a.atttypid::bigint) FILTER (WHERE a.attname = board_column),
           max(a.atttypid::bigint) FILTER (WHERE a.attname = place_column),
           coalesce(bool_or(a.attname = 'version_number' AND y.typcategory = 'N'), false)
    INTO key_type, board_type, place_type, has_version
    FROM pg_attribute AS a JOIN pg_type AS y ON y.oid = a.atttypid WHERE a.attrelid = target AND a.attnum > 0 AND NOT a.attisdropped;
    complete := (has_version AND names IS NULL AND key_column = 'id' AND board_column = 'board_id'
                 AND (SELECT bool_and(y.typcategory = 'S') FROM pg_type AS y WHERE y.oid IN (key_type, board_type))) IS TRUE;
    id_text := feed.json_text(format('o.%I', key_column), key_type);
    board_text := CASE WHEN board_column IS NULL THEN 'feed.default_board()' ELSE feed.json_text(format('o.%I', board_column), board_type) END;
    version_text := CASE WHEN has_version THEN 'least(o.version_number, 2147483647)::integer' ELSE format(
        'coalesce((SELECT (l.seq %% 2147483647)::integer FROM feed.log AS l WHERE l.relation = ''opportunities'' AND l.key = %s ORDER BY l.seq DESC LIMIT 1), 1)',
        id_text) END;
    image := CASE WHEN feed.converts_safely(target) THEN 'to_jsonb(o.*)' ELSE 'feed.row_json(o.*)' END;
    row_source := format('SELECT %s AS id, %s AS board_id, %s AS version_number, %s AS place, %s%s AS body FROM %s AS o',
        id_text, board_text, version_text, CASE WHEN place_column IS NULL THEN '''''' ELSE feed.plain_text(format('o.%I', place_column), place_type) END,
        CASE WHEN names IS NULL THEN image ELSE format('feed.card_image(%s, %L)', image, names) END,
        CASE WHEN complete THEN '' ELSE format(' || jsonb_build_object(''id'', %s, ''board_id'', %s, ''version_number'', %s)', id_text, board_text, version_text) END
            || format(' || coalesce(feed.card_details(%s), ''{}'')', id_text),
        target);
    by_key := feed.matches_any(format('o.%I', key_column), key_type, '$1');
    by_board := CASE WHEN board_column IS NULL THEN 'feed.default_board() = ANY ($1)' ELSE feed.matches_any(format('o.%I', board_column), board_type, '$1') END;
END
$_$;

ALTER FUNCTION feed.opportunity_source(OUT target regclass, OUT key_column text, OUT board_column text, OUT complete boolean, OUT id_text text, OUT version_text text, OUT row_source text, OUT by_key text, OUT by_board text) OWNER TO feed_owner;

--
-- Name: FUNCTION opportunity_source(OUT target regclass, OUT key_column text, OUT board_column text, OUT complete boolean, OUT id_text text, OUT version_text text, OUT row_source text, OUT by_key text, OUT by_board text); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.opportunity_source(OUT target regclass, OUT key_column text, OUT board_column text, OUT complete boolean, OUT id_text text, OUT version_text text, OUT row_source text, OUT by_key text, OUT by_board text) IS 'How the table of the opportunities is read now: its name, the columns of the key and the board, whether a row as JSON has its id, board and version as clients expect them, the expressions of id and version, the statement (o) that returns the rows, and its conditions for some keys or boards ($1, an array of text). target is null if the table or its key column is missing.';

--
-- Name: attached; Type: TABLE; Schema: feed; Owner: feed_owner
--

CREATE TABLE feed.attached (
    relation regclass NOT NULL,
    schema_name text NOT NULL,
    table_name text NOT NULL,
    key text[] NOT NULL,
    board text,
    excluded text[] NOT NULL,
    columns jsonb NOT NULL,
    numbered oid NOT NULL,
    layouts jsonb DEFAULT '[]'::jsonb NOT NULL,
    partitions regclass[] NOT NULL,
    seq bigint NOT NULL,
    was_empty boolean NOT NULL,
    newest_key text,
    xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    attached_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    attached_by text DEFAULT SESSION_USER NOT NULL
);

ALTER TABLE feed.attached OWNER TO feed_owner;

--
-- Name: TABLE attached; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON TABLE feed.attached IS 'How and when each table was attached. Earlier changes do not have to be in the log. See feed.attached_tables.';

--
-- Name: COLUMN attached.relation; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.attached.relation IS 'The table; a number if it was dropped';

--
-- Name: COLUMN attached.schema_name; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.attached.schema_name IS 'Schema of the table when it was attached';

--
-- Name: COLUMN attached.table_name; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.attached.table_name IS 'Name of the table when it was attached';

--
-- Name: COLUMN attached.key; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.attached.key IS 'Key columns, by their names when the table was attached';

--
-- Name: COLUMN attached.board; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.attached.board IS 'Column with the board whose clients receive the change, named as it was then; null: none';

--
-- Name: COLUMN attached.excluded; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.attached.excluded IS 'Columns that are not logged, by their names when the table was attached';

--
-- Name: COLUMN attached.columns; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.attached.columns IS 'Number of each of these columns, by its name. It finds a column that was renamed since; see feed.current_columns.';

--
-- Name: COLUMN attached.numbered; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.attached.numbered IS 'OID of the table to which the column numbers belong. After a dump is restored, the table has another OID, and the numbers are not valid.';

--
-- Name: COLUMN attached.layouts; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.attached.layouts IS 'The columns that the table has had, with their numbers and types, oldest first. See feed.note_layouts.';

--
-- Name: COLUMN attached.partitions; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.attached.partitions IS 'Partitions of the table, at all levels, whose rows are in the log. feed.maintain() adds those that were created empty.';

--
-- Name: COLUMN attached.seq; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.attached.seq IS 'Rows of the log up to this sequence number belong to an earlier table with the same name; 0: none do';

--
-- Name: COLUMN attached.was_empty; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.attached.was_empty IS 'Whether the table had no rows when it was attached. If so, the log has every row, from its insert on.';

--
-- Name: COLUMN attached.newest_key; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.attached.newest_key IS 'Largest key, if it is an integer or a uuid, among the rows that the table had when it was attached and the rows whose changes have been pruned since. A row with a larger key must be in the log.';

--
-- Name: COLUMN attached.xid; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.attached.xid IS 'Newest transaction that may have written to the table before it was attached; usually the transaction that attached it';

--
-- Name: COLUMN attached.attached_at; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.attached.attached_at IS 'When the table was attached';

--
-- Name: COLUMN attached.attached_by; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.attached.attached_by IS 'session_user who attached it';

--
-- Name: plain_relations(); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.plain_relations() RETURNS text[]
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (SELECT COALESCE(array_agg(feed.relation_name((a.relation)::oid)), '{}'::text[]) AS "coalesce" FROM (feed.attached a JOIN pg_class r ON ((r.oid = (a.relation)::oid))) WHERE (NOT (EXISTS (SELECT FROM (pg_attribute c JOIN pg_type t ON ((t.oid = c.atttypid))) WHERE ((c.attrelid = (a.relation)::oid) AND (c.attnum > 0) AND (t.typtype <> 'e'::"char") AND (t.oid <> ALL (('{boolean,smallint,integer,bigint,real,"double precision",numeric,text,"character varying",character,uuid,date,"timestamp without time zone","timestamp with time zone"}'::regtype[])::oid[])))))));

ALTER FUNCTION feed.plain_relations() OWNER TO feed_owner;

--
-- Name: FUNCTION plain_relations(); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.plain_relations() IS 'Attached tables for which two values in row images are equal if their texts (->>) are equal.';

--
-- Name: plain_text(text, oid); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.plain_text(expression text, type oid) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
    SELECT CASE WHEN feed.trusted_type(type) THEN format('%s::text', expression)
                ELSE format('CASE WHEN %1$s IS DISTINCT FROM NULL THEN concat(%1$s) END', expression) END
$_$;

ALTER FUNCTION feed.plain_text(expression text, type oid) OWNER TO feed_owner;

--
-- Name: FUNCTION plain_text(expression text, type oid); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.plain_text(expression text, type oid) IS 'SQL expression of a value as text, without casts of an application (see feed.trusted_type).';

--
-- Name: prune(timestamp with time zone); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.prune(before timestamp with time zone, OUT partition text, OUT forgotten bigint) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'feed', 'pg_temp'
    SET lock_timeout TO '200ms'
    AS $_$
DECLARE
    newest feed.log;
    candidate record;
    last record;
    keys jsonb; -- the largest ones, by relation
    later boolean;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'feed.prune needs a new snapshot for each statement, so that it sees all rows before it drops a partition' USING ERRCODE = 'active_sql_transaction',
            HINT = 'Call feed.prune in a READ COMMITTED transaction.';
    END IF;
    PERFORM FROM feed.maintenance FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        forgotten := 0;
        RETURN;
    END IF;
    SELECT * INTO newest FROM feed.log ORDER BY seq DESC LIMIT 1;
    -- The whole current partition is old, and it contains more than the one row that is kept.
    IF newest.at < before AND newest.partition_number = current_partition() AND to_regclass(format('feed.log_%s', newest.partition_number + 1)) IS NOT NULL
       AND EXISTS (SELECT FROM feed.log AS l WHERE l.partition_number = newest.partition_number AND l.seq < newest.seq) THEN
        PERFORM feed.rotate_partition();
    END IF;
    FOR candidate IN
        SELECT format('feed.%I', c.relname) AS name, substring(c.relname FROM '^log_([0-9]+)$')::bigint AS partition_number
        FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'feed.log'::regclass
        ORDER BY partition_number NULLS LAST
    LOOP
        CONTINUE WHEN candidate.partition_number >= current_partition();
        -- The row with the highest number is cheap to find and usually decides. All rows are read only if it is old.
        EXECUTE format('SELECT seq, at FROM %s ORDER BY seq DESC LIMIT 1', candidate.name) INTO last;
        CONTINUE WHEN last.at >= before OR (last.seq IS NULL AND candidate.partition_number IS NULL);
        EXECUTE format('SELECT max(seq) AS seq, max(xid) AS xid, max(at) AS at, count(*) AS rows, pg_current_snapshot() AS snapshot FROM %s',
                       candidate.name) INTO last;
        CONTINUE WHEN last.at >= before;
        EXECUTE format($query$
            SELECT jsonb_object_agg(k.relation, jsonb_build_array(k.number, k.uuid))
            FROM (SELECT l.relation, max(l.key::numeric) FILTER (WHERE l.key ~ '^-?[0-9]{1,19}$') AS number,
                         max(l.key COLLATE "C") FILTER (WHERE l.key ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$') AS uuid
                  FROM %s AS l GROUP BY l.relation) AS k
        $query$, candidate.name) INTO keys;
        BEGIN
            -- In the order in which readers take these locks. feed.make_partition() needs the first.
            LOCK TABLE feed.identity, ONLY feed.log IN ACCESS EXCLUSIVE MODE;
            EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', candidate.name);
        EXCEPTION WHEN lock_not_available THEN
            forgotten := 0;
            RETURN;
        END;
        -- A transaction that was in progress then and has committed since may have rows here that were not counted, so the
        -- recorded position might not cover them. The next call counts again. (Counting again under the lock would take too
        -- long.)
        EXECUTE format('SELECT EXISTS (SELECT FROM %1$s WHERE xid >= $1 AND partition_number >= $3) OR EXISTS (SELECT FROM %1$s WHERE xid = ANY ($2) AND partition_number >= $3)',
                       candidate.name)
        INTO later
        USING pg_snapshot_xmax(last.snapshot), ARRAY(SELECT pg_snapshot_xip(last.snapshot)), (SELECT i.first_partition FROM feed.identity AS i);
        CONTINUE WHEN later;
        SELECT * INTO newest FROM feed.log ORDER BY seq DESC LIMIT 1;
        EXECUTE format('DROP TABLE %s', candidate.name);
        IF candidate.partition_number IS NULL THEN
            CREATE TABLE feed.log_default PARTITION OF feed.log DEFAULT;
            COMMENT ON TABLE feed.log_default IS 'Rows whose partition is missing. Empty unless a partition was dropped or detached by hand.';
        END IF;
        partition := candidate.name;
        forgotten := last.rows;
        IF newest.seq = last.seq THEN
            newest.partition_number := current_partition();
            INSERT INTO feed.log SELECT newest.*;
            last.seq := last.seq - 1;
            forgotten := forgotten - 1;
        END IF;
        -- Transaction IDs of another cluster do not apply to cursors made in this one.
        UPDATE feed.identity
        SET floor_seq = greatest(floor_seq, last.seq),
            floor_xid = CASE WHEN last.xid > floor_xid AND coalesce(candidate.partition_number >= first_partition, true) THEN last.xid ELSE floor_xid END;
        -- See feed.verify_rows.
        UPDATE feed.attached AS a
        SET newest_key = CASE WHEN a.newest_key ~ '^-?[0-9]+$' THEN greatest(a.newest_key::numeric, (k.newest ->> 0)::numeric)::text
                              ELSE greatest(a.newest_key COLLATE "C", k.newest ->> 1) END
        FROM (SELECT r.relation, keys -> feed.relation_name(r.relation) AS newest FROM feed.attached AS r) AS k
        WHERE k.relation = a.relation AND k.newest IS NOT NULL AND a.newest_key IS NOT NULL;
        IF to_regclass(format('feed.log_%s', current_partition() + 1)) IS NULL THEN
            PERFORM feed.make_partition(current_partition() + 1);
        END IF;
        RETURN;
    END LOOP;
END
$_$;

ALTER FUNCTION feed.prune(before timestamp with time zone, OUT partition text, OUT forgotten bigint) OWNER TO feed_owner;

--
-- Name: FUNCTION prune(before timestamp with time zone, OUT partition text, OUT forgotten bigint); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.prune(before timestamp with time zone, OUT partition text, OUT forgotten bigint) IS 'Drops the oldest partition of feed.log if all its rows are older than a time. Cursors from before it get a reset with the reason "pruned". Returns the partition and the number of rows removed: nulls if no partition is that old; no partition and 0 if the log is in use.';

--
-- Name: read_stage_changes(integer, boolean); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.read_stage_changes(batch integer, waits boolean DEFAULT false) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    reader feed.stage_reader;
    now_seen pg_snapshot;
    until pg_snapshot;
    since_xip xid8[];
    upto xid8;
    names jsonb := (SELECT n.names FROM feed.card_names() AS n);
    start_partition bigint := (SELECT i.first_partition FROM feed.identity AS i);
    foreign_rows boolean;
    touched text[];
    emptied bigint[];
BEGIN
    IF waits THEN
        SELECT r.* INTO reader FROM feed.stage_reader AS r FOR UPDATE;
    ELSE
        SELECT r.* INTO reader FROM feed.stage_reader AS r FOR UPDATE SKIP LOCKED;
    END IF;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    now_seen := pg_current_snapshot();
    -- A dump was restored in another cluster. The rows that it brought have transaction IDs of the old one: read them all again.
    foreign_rows := reader.first_partition <> start_partition;
    IF foreign_rows THEN
        SELECT (x.first || ':' || x.first || ':')::pg_snapshot INTO reader.position
        FROM (SELECT greatest(i.first_xid::text::bigint, 3) AS first FROM feed.identity AS i) AS x;
    END IF;
    until := now_seen;
    since_xip := ARRAY(SELECT x FROM pg_snapshot_xip(reader.position) AS x ORDER BY x);
    -- With much to read, stop after some transactions.
    SELECT l.xid INTO upto FROM feed.log AS l
    WHERE l.xid >= pg_snapshot_xmax(reader.position) AND l.xid < pg_snapshot_xmax(now_seen) AND l.partition_number >= start_partition
    ORDER BY l.xid OFFSET batch LIMIT 1;
    IF upto > pg_snapshot_xmax(reader.position) THEN
        SELECT (least(min(x), upto)::text || ':' || upto || ':' || coalesce(string_agg(x::text, ',' ORDER BY x), ''))::pg_snapshot INTO until
        FROM pg_snapshot_xip(now_seen) AS x WHERE x < upto;
    END IF;
    WITH fresh AS MATERIALIZED (
        SELECT l.* FROM feed.changes_since(pg_snapshot_xmax(reader.position), since_xip, pg_snapshot_xmax(until),
                                           ARRAY(SELECT x FROM pg_snapshot_xip(until) AS x ORDER BY x)) AS l
        WHERE l.relation IN ('opportunities', 'feed.boards')
        UNION ALL
        SELECT l.* FROM feed.log AS l WHERE foreign_rows AND l.partition_number < start_partition AND l.relation = 'opportunities'
    ), moves AS (
        SELECT f.board, f.key, f.seq, f.at, p.before, p.after
        FROM fresh AS f
        -- As clients know them. The call costs more than all the rest, so it is made only if a column was named.
        CROSS JOIN LATERAL (SELECT CASE WHEN names IS NULL THEN f.old ELSE feed.card_image(f.old, names) END AS old,
                                   CASE WHEN names IS NULL THEN f.new ELSE feed.card_image(f.new, names) END AS new OFFSET 0) AS i
        CROSS JOIN LATERAL (SELECT CASE WHEN f.op IN ('update', 'delete', 'leave') THEN i.old ->> 'phase' END AS before,
                                   CASE WHEN f.op IN ('update', 'insert', 'enter') THEN i.new ->> 'phase' END AS after) AS p
        WHERE f.relation = 'opportunities' AND f.key IS NOT NULL AND f.board IS NOT NULL
          -- An update of a large row has only the columns that changed.
          AND (f.op <> 'update' OR (f.delta IS NULL OR i.old ? 'phase') AND p.before IS DISTINCT FROM p.after)
    ), copied AS (
        INSERT INTO feed.stage_changes (board_id, opportunity_id, seq, at, from_phase, to_phase)
        SELECT feed.short_text(m.board), feed.short_text(m.key), m.seq, m.at, feed.short_text(m.before), feed.short_text(m.after)
        FROM moves AS m ON CONFLICT DO NOTHING
        RETURNING opportunity_id
    )
    SELECT coalesce(array_agg(DISTINCT m.key), '{}') || ARRAY(
        SELECT o.id FROM feed.opportunities_on(ARRAY(
            SELECT f.board FROM fresh AS f
            WHERE f.relation = 'feed.boards' AND f.op IN ('insert', 'update') AND f.old -> 'phases' IS DISTINCT FROM f.new -> 'phases')) AS o),
        (SELECT array_agg(f.seq ORDER BY f.seq) FROM fresh AS f WHERE f.relation = 'opportunities' AND f.op = 'truncate')
    INTO touched, emptied FROM moves AS m;
    IF emptied IS NOT NULL THEN
        -- TRUNCATE has one row in the log for all cards.
        INSERT INTO feed.stage_changes (board_id, opportunity_id, seq, at, from_phase)
        SELECT s.board_id, s.opportunity_id, l.seq, l.at, s.to_phase
        FROM feed.log AS l
        CROSS JOIN LATERAL (SELECT DISTINCT ON (s.board_id, s.opportunity_id) s.board_id, s.opportunity_id, s.to_phase FROM feed.stage_changes AS s
                            WHERE s.seq < l.seq ORDER BY s.board_id, s.opportunity_id, s.seq DESC) AS s
        WHERE l.seq = ANY (emptied) AND s.to_phase IS NOT NULL
        ON CONFLICT DO NOTHING;
    END IF;
    IF upto IS NULL AND NOT reader.has_start THEN
        touched := touched || ARRAY(SELECT feed.start_stage_changes());
        reader.has_start := true;
    END IF;
    IF touched <> '{}' THEN
        PERFORM feed.note_closings(touched);
    END IF;
    UPDATE feed.stage_reader AS r SET position = until, first_partition = start_partition, has_start = reader.has_start;
    RETURN upto IS NOT NULL;
END
$$;

ALTER FUNCTION feed.read_stage_changes(batch integer, waits boolean) OWNER TO feed_owner;

--
-- Name: FUNCTION read_stage_changes(batch integer, waits boolean); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.read_stage_changes(batch integer, waits boolean) IS 'Copies the changes of stages in about the next batch rows of feed.log to feed.stage_changes, and notes which opportunities were won or lost. Returns whether there are more. If another session is doing this, it waits for that one (waits) or does nothing.';

--
-- Name: realtime(text); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.realtime(user_id text) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
    SELECT CASE WHEN EXISTS (SELECT FROM feed.flags AS f WHERE f.flag = 'capture') THEN 'off' ELSE coalesce((
        SELECT f.value FROM feed.flags AS f
        WHERE f.flag = 'realtime'
          AND CASE f.scope WHEN 'user' THEN f.user_id = $1 WHEN 'percentage' THEN feed.rollout_bucket($1) < f.percentage ELSE true END
        ORDER BY array_position('{user,percentage,everybody}', f.scope) LIMIT 1), 'websocket') END
$_$;

ALTER FUNCTION feed.realtime(user_id text) OWNER TO feed_owner;

--
-- Name: FUNCTION realtime(user_id text); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.realtime(user_id text) IS 'The best transport that a user is offered: websocket, sse, poll or off. Null: an unknown user, to whom only settings for everybody apply.';

--
-- Name: redefined_columns(regclass); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.redefined_columns(target regclass) RETURNS TABLE(name text, after bigint, upto bigint)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    WITH layouts AS (
        SELECT n.place, n.layout, count(*) FILTER (WHERE (n.layout ->> 'restored')::boolean) OVER (ORDER BY n.place) AS restores
        FROM feed.attached AS a
        CROSS JOIN LATERAL jsonb_array_elements(a.layouts || jsonb_build_object(
            'upto', 9223372036854775807, 'restored', a.numbered <> a.relation::oid, 'columns', feed.table_layout(a.relation))) WITH ORDINALITY AS n(layout, place)
        WHERE a.relation = target
    ), columns AS (
        SELECT c.key, c.value, lag(c.value) OVER same AS last_value, lag(l.layout) OVER same AS last_layout, l.layout
        FROM layouts AS l CROSS JOIN LATERAL jsonb_each_text(l.layout -> 'columns') AS c
        WINDOW same AS (PARTITION BY c.key, l.restores ORDER BY l.place)
    )
    SELECT c.key, (c.last_layout ->> 'after')::bigint, (c.layout ->> 'upto')::bigint FROM columns AS c WHERE c.value <> c.last_value
$$;

ALTER FUNCTION feed.redefined_columns(target regclass) OWNER TO feed_owner;

--
-- Name: FUNCTION redefined_columns(target regclass); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.redefined_columns(target regclass) IS 'Column names of an attached table that were reused for another column or another type, after the first sequence number and not after the second. Used by feed.verify_log.';

--
-- Name: refuse(text, text, text); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.refuse(reason text, hint text, code text) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
    IF reason IS NOT NULL AND hint IS NULL THEN
        RAISE EXCEPTION '%', reason USING ERRCODE = code;
    ELSIF reason IS NOT NULL THEN
        RAISE EXCEPTION '%', reason USING ERRCODE = code, HINT = hint;
    END IF;
END
$$;

ALTER FUNCTION feed.refuse(reason text, hint text, code text) OWNER TO feed_owner;

--
-- Name: FUNCTION refuse(reason text, hint text, code text); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.refuse(reason text, hint text, code text) IS 'Raises an error, if a reason is given. Used by feed.attach.';

--
-- Name: repair(regclass, text[]); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.repair(target regclass, keys text[]) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'feed', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    SET "DateStyle" TO 'ISO, YMD'
    SET "IntervalStyle" TO 'postgres'
    SET bytea_output TO 'hex'
    SET extra_float_digits TO '1'
    SET lc_monetary TO 'C'
    SET quote_all_identifiers TO 'off'
    SET row_security TO 'off'
    SET jit TO 'off'
    AS $_$
DECLARE
    parts record := feed.fed_columns(target);
    emptied bigint;
    written bigint;
    skips boolean;
    complete boolean;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'feed.repair must see everything that was committed before it locked the table' USING ERRCODE = 'active_sql_transaction',
            HINT = 'Run feed.repair in a READ COMMITTED transaction.';
    END IF;
    IF current_setting('synchronous_commit') = 'off' THEN
        PERFORM set_config('synchronous_commit', 'local', true);
    END IF;
    PERFORM feed.lock_tables(ARRAY[target], 'SHARE ROW EXCLUSIVE');
    SELECT max(l.seq) INTO emptied FROM feed.log AS l WHERE l.relation = parts.relation AND l.key IS NULL AND l.op = 'truncate';
    complete := emptied > parts.seq OR parts.was_empty AND EXISTS (SELECT FROM feed.identity AS i WHERE i.floor_seq = 0);
    emptied := greatest(emptied, parts.seq);
    EXECUTE format($query$
        WITH written AS (
            INSERT INTO feed.log (relation, op, key, board, old, new, version, actor, origin, db_user, application, client_addr, pid, notified, image_bytes)
        SELECT %1$L, step.op, r.key, CASE WHEN step.op IN ('leave', 'delete') THEN r.before ->> $3 ELSE r.after ->> $3 END,
               r.before, r.after, feed.version_number(coalesce(r.after, r.before)),
               coalesce(nullif(current_setting('feed.actor', true), ''), session_user), 'repair',
               session_user, current_setting('application_name'), inet_client_addr(), pg_backend_pid(), true,
               nullif(greatest(pg_column_size(r.before), pg_column_size(r.after), 65536), 65536)
        FROM (
            SELECT k.key, k.place, t.data AS after, l.new AS before
            FROM unnest($1) WITH ORDINALITY AS k(key, place)
            LEFT JOIN LATERAL (%2$s) AS t ON true
            LEFT JOIN LATERAL (SELECT CASE WHEN l.seq > coalesce($2, 0) AND l.op IN ('insert', 'update', 'enter') THEN
                                            feed.image_after(l.relation, l.key, l.seq, l.op, l.old, l.new, l.delta) END AS new
                               FROM feed.log AS l WHERE l.relation = %1$L AND l.key = k.key ORDER BY l.seq DESC LIMIT 1) AS l ON true
        ) AS r
        CROSS JOIN LATERAL unnest(
            CASE WHEN r.before IS NULL THEN '{insert}'::text[]
                 WHEN r.after IS NULL THEN '{delete}'::text[]
                 WHEN r.before ->> $3 IS DISTINCT FROM r.after ->> $3 THEN '{leave,enter}'::text[]
                 ELSE '{update}'::text[] END) WITH ORDINALITY AS step(op, number)
        WHERE r.before IS DISTINCT FROM r.after
        ORDER BY r.place, step.number
        RETURNING op, old, new
        )
        SELECT count(*), bool_or(op <> 'delete' AND feed.version_number(new) <> feed.version_number(old) + 1 OR op = 'insert' AND NOT $4) FROM written
    $query$, parts.relation, parts.row_by_key) INTO written, skips USING keys, emptied, parts.board, coalesce(complete, false);
    IF skips THEN
        -- Clients compare versions. They would ignore a version that is not newer than theirs, and would take a jump of
        -- more than one, like a checkpoint that does not match, as a sign of a missing change. They may hold a row that is
        -- older than the log, in the same version.
        PERFORM feed.log_reload(parts.relation, 'repair');
    END IF;
    IF written > 0 THEN
        PERFORM pg_notify('boardcast', '');
    END IF;
    RETURN written;
END
$_$;

ALTER FUNCTION feed.repair(target regclass, keys text[]) OWNER TO feed_owner;

--
-- Name: FUNCTION repair(target regclass, keys text[]); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.repair(target regclass, keys text[]) IS 'Logs the current state of the rows with these keys where the log differs, with origin repair. Returns the number of log rows written. Blocks writers of the table until the transaction ends.';

--
-- Name: repair_rows(); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.repair_rows() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    newest bigint := (SELECT max(l.seq) FROM feed.log AS l);
    partition bigint := (SELECT max(l.partition_number) FROM feed.log AS l);
    fix text;
BEGIN
    IF coalesce(pg_sequence_last_value('feed.log_seq'), 0) < newest THEN
        PERFORM setval('feed.log_seq', newest);
    END IF;
    IF coalesce(pg_sequence_last_value('feed.partition_number'), 0) < coalesce(partition, 1) THEN
        PERFORM setval('feed.partition_number', coalesce(partition, 1));
    END IF;
    -- The largest bigint: readers search all partitions.
    IF pg_sequence_last_value('feed.partition_xid') IS NULL THEN
        PERFORM setval('feed.partition_xid', 9223372036854775807);
    END IF;
    FOR partition IN SELECT pg_sequence_last_value('feed.partition_number') + n FROM generate_series(0, 1) AS n LOOP
        IF to_regclass(format('feed.log_%s', partition)) IS NULL THEN
            PERFORM feed.make_partition(partition);
        END IF;
    END LOOP;
    INSERT INTO feed.maintenance DEFAULT VALUES ON CONFLICT DO NOTHING;
    INSERT INTO feed.pacer DEFAULT VALUES ON CONFLICT DO NOTHING;
    INSERT INTO feed.identity (feed_id, system_identifier, timeline, reason) VALUES ('', '', '', '') ON CONFLICT DO NOTHING;
    PERFORM feed.identify();
    -- Without its row, the table would not be mended. It may be the application's, so that boardcast never drops it.
    INSERT INTO feed.adopted (role, relation, created)
    SELECT 'opportunities', t.tgrelid, false FROM pg_trigger AS t WHERE t.tgfoid = to_regproc('feed.version_opportunity')
    ON CONFLICT DO NOTHING;
    -- A function that is dropped with CASCADE takes the triggers of all tables with it.
    PERFORM feed.mend_structure();
    FOR fix IN SELECT t.fix FROM feed.attached_tables AS t WHERE t.state IN ('unknown', 'replaced') LOOP
        EXECUTE fix;
    END LOOP;
END
$$;

ALTER FUNCTION feed.repair_rows() OWNER TO feed_owner;

--
-- Name: FUNCTION repair_rows(); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.repair_rows() IS 'Restores the rows, sequence values, partitions and triggers without which the feed does not work. Used by boardcast migrate if a part of the schema was missing.';

--
-- Name: report_gap(text, text, text, text, text, bigint, text, bigint, text); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.report_gap(instance text, user_id text, connection text, board text, cursor text, expected_count bigint, expected_hash text, held_count bigint, held_hash text) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'feed', 'pg_temp'
    AS $$
#variable_conflict use_variable
DECLARE
    reported CONSTANT timestamptz := clock_timestamp();
    same record;
    actual record;
    suspects text[];
    cause text;
BEGIN
    IF num_nulls(instance, board, cursor, expected_count, expected_hash, held_count, held_hash) > 0
       OR (SELECT count(*) >= 600 FROM feed.gap_reports AS g WHERE g.at > reported - interval '1 minute')
       OR EXISTS (SELECT FROM feed.gap_reports AS g
                  WHERE g.at > reported - interval '5 s' AND g.user_id = report_gap.user_id AND g.board = report_gap.board) THEN
        RETURN NULL;
    END IF;
    -- Clients that miss the same rows miss them for the same reason, so only the first of them is investigated.
    SELECT g.cause, g.cards INTO same
    FROM feed.gap_reports AS g
    WHERE g.at > reported - interval '2 minutes' AND g.board = report_gap.board
      AND g.expected_count - g.held_count = expected_count - held_count
      AND (('x' || g.expected_hash)::bit(32)::bigint - ('x' || g.held_hash)::bit(32)::bigint) & 4294967295
        = (('x' || expected_hash)::bit(32)::bigint - ('x' || held_hash)::bit(32)::bigint) & 4294967295
    ORDER BY g.user_id NULLS FIRST, g.at DESC
    LIMIT 1;
    IF FOUND THEN
        cause := same.cause;
        suspects := same.cards;
    ELSE
        SELECT coalesce(array_agg(s.id ORDER BY s.id), '{}') INTO suspects
        FROM (SELECT o.id
              FROM feed.versions_on(board) AS o
              CROSS JOIN LATERAL (SELECT l.op, l.version FROM feed.log AS l
                                  WHERE l.relation = 'opportunities' AND l.key = o.id
                                  ORDER BY l.seq DESC LIMIT 1) AS newest
              WHERE newest.version <> o.version_number OR newest.op = 'delete'
              LIMIT 10) AS s;
        IF user_id IS NULL THEN
            cause := 'unlogged';
        ELSIF feed.cursor_fault(cursor) IS NOT NULL THEN
            cause := 'cursor';
        ELSE
            SELECT c.count, c.hash INTO actual FROM feed.checkpoint_seen(board, cursor) AS c;
            IF actual.count IS NULL THEN
                RETURN NULL;
            END IF;
            cause := CASE WHEN suspects <> '{}' THEN 'unlogged'
                          WHEN (held_count, held_hash) = (actual.count, actual.hash) THEN 'feed'
                          WHEN (expected_count, expected_hash) = (actual.count, actual.hash) THEN 'delivery'
                          ELSE 'unlogged' END;
        END IF;
    END IF;
    INSERT INTO feed.gap_reports (at, instance, user_id, connection, board, cursor,
                                  expected_count, expected_hash, held_count, held_hash, cause, cards)
    VALUES (reported, instance, user_id, connection, board, cursor,
            expected_count, expected_hash, held_count, held_hash, cause, suspects);
    RETURN cause;
END
$$;

ALTER FUNCTION feed.report_gap(instance text, user_id text, connection text, board text, cursor text, expected_count bigint, expected_hash text, held_count bigint, held_hash text) OWNER TO feed_owner;

--
-- Name: FUNCTION report_gap(instance text, user_id text, connection text, board text, cursor text, expected_count bigint, expected_hash text, held_count bigint, held_hash text); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.report_gap(instance text, user_id text, connection text, board text, cursor text, expected_count bigint, expected_hash text, held_count bigint, held_hash text) IS 'Called by the services: records in feed.gap_reports that a client has other rows of a board than the checkpoint, with the suspected cause. Returns the cause; null if the report was not recorded.';

--
-- Name: require_adoptable(text, jsonb, text, jsonb); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.require_adoptable(target text, columns jsonb, users text, user_columns jsonb) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    problems text[] := ARRAY(SELECT feed.adoption_obstacles(target, columns, users, user_columns));
BEGIN
    IF problems <> '{}' THEN
        RAISE EXCEPTION 'table % cannot be the board: %', target, array_to_string(problems, '; ')
            USING ERRCODE = 'invalid_table_definition', HINT = 'Nothing was changed. Write names of columns exactly as created, without quotes.';
    END IF;
END
$$;

ALTER FUNCTION feed.require_adoptable(target text, columns jsonb, users text, user_columns jsonb) OWNER TO feed_owner;

--
-- Name: FUNCTION require_adoptable(target text, columns jsonb, users text, user_columns jsonb); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.require_adoptable(target text, columns jsonb, users text, user_columns jsonb) IS 'Raises an error with all reasons why a table cannot be the board. Used by feed.adopt_table and the migration.';

--
-- Name: reset_feed(text); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.reset_feed(why text DEFAULT 'by hand'::text) RETURNS text
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    SELECT pg_notify('boardcast', '');
    UPDATE feed.identity SET feed_id = feed.new_id(), renewed_at = clock_timestamp(), reason = why RETURNING feed_id
$$;

ALTER FUNCTION feed.reset_feed(why text) OWNER TO feed_owner;

--
-- Name: FUNCTION reset_feed(why text); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.reset_feed(why text) IS 'Renews the feed ID, so that every client loads a new snapshot when it connects next.';

--
-- Name: restored_columns(regclass, text[], text); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.restored_columns(target regclass, columns text[], board text) RETURNS TABLE(name text, restored text)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
    SELECT c.name, format('CASE WHEN o.%1$I IS NOT DISTINCT FROM %2$s THEN was.%1$I ELSE o.%1$I END', c.name,
                          CASE c.name WHEN 'board_id' THEN quote_literal(board) ELSE coalesce(pg_get_expr(d.adbin, d.adrelid), 'NULL') END)
    FROM unnest(columns) WITH ORDINALITY AS c(name, place)
    JOIN pg_attribute AS a ON a.attrelid = target AND a.attname = c.name
    LEFT JOIN pg_attrdef AS d ON d.adrelid = target AND d.adnum = a.attnum
    ORDER BY c.place
$_$;

ALTER FUNCTION feed.restored_columns(target regclass, columns text[], board text) OWNER TO feed_owner;

--
-- Name: FUNCTION restored_columns(target regclass, columns text[], board text); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.restored_columns(target regclass, columns text[], board text) IS 'For each column that was added again, the expression of its restored value (o: the row; was: the row in the log): a value other than the default, which is board for board_id, is newer, and stays. Used by feed.mend_rows.';

--
-- Name: rollout_bucket(text); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.rollout_bucket(user_id text) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ((((('x'::text || "left"(encode(sha256(convert_to(user_id, 'UTF8'::name)), 'hex'::text), 8)))::bit(32))::bigint % (100)::bigint))::integer;

ALTER FUNCTION feed.rollout_bucket(user_id text) OWNER TO feed_owner;

--
-- Name: FUNCTION rollout_bucket(user_id text); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.rollout_bucket(user_id text) IS 'Bucket of a user for rollout percentages, 0 to 99, from a hash of the user ID. A rollout percentage of 10 applies to buckets below 10.';

--
-- Name: rotate_partition(); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.rotate_partition() RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'feed', 'pg_temp'
    AS $$
DECLARE
    wide CONSTANT bigint := 4294967296;
    next_number bigint;
    own bigint;
    drawn bigint;
BEGIN
    -- The lock prevents concurrent rotations. The number is read while it is held, so it never goes back.
    PERFORM FROM feed.maintenance FOR UPDATE;
    next_number := pg_sequence_last_value('feed.partition_number') + 1;
    PERFORM setval('feed.partition_xid', 9223372036854775807);
    PERFORM setval('feed.partition_number', next_number);
    own := pg_current_xact_id()::text::bigint;
    BEGIN
        UPDATE feed.maintenance SET rotated_at = clock_timestamp() RETURNING xmin::text::bigint INTO drawn;
    EXCEPTION WHEN raise_exception THEN
        NULL; -- never happens: the handler makes this block a subtransaction
    END;
    -- xmin contains only the lower half of the ID.
    drawn := own - own % wide + drawn + CASE WHEN drawn < own % wide THEN wide ELSE 0 END;
    PERFORM setval('feed.partition_xid', drawn);
    RETURN next_number;
END
$$;

ALTER FUNCTION feed.rotate_partition() OWNER TO feed_owner;

--
-- Name: FUNCTION rotate_partition(); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.rotate_partition() IS 'Switches writing to the next partition of feed.log and returns its number.';

--
-- Name: row_hash(text, integer); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.row_hash(id text, version integer) RETURNS bigint
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    steps CONSTANT bigint[] := '{0,498536548,997073096,651767980,1994146192,1802195444,1303535960,1342533948,3988292384,4027552580,3604390888,3412177804,2607071920,2262029012,2685067896,3183342108}';
    low CONSTANT bigint := 4294967295;
    bytes bytea := convert_to(coalesce(id, ''), 'UTF8');
    h bigint := low;
BEGIN
    FOR i IN 0..length(bytes) - 1 LOOP
        h := h # get_byte(bytes, i);
        h := (h >> 4) # steps[(h & 15) + 1];
        h := (h >> 4) # steps[(h & 15) + 1];
    END LOOP;
    h := ((h # low) + coalesce(version, 0) * 2654435761) & low;
    h := h # (h >> 16);
    h := ((((h >> 16) * 2246822507 & 65535) << 16) + (h & 65535) * 2246822507) & low;
    h := h # (h >> 13);
    h := ((((h >> 16) * 3266489909 & 65535) << 16) + (h & 65535) * 3266489909) & low;
    RETURN h # (h >> 16);
END
$$;

ALTER FUNCTION feed.row_hash(id text, version integer) OWNER TO feed_owner;

--
-- Name: FUNCTION row_hash(id text, version integer); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.row_hash(id text, version integer) IS 'The contribution of one row to the hash of a checkpoint (docs/protocol.md). The hash of a board is the sum over its rows, modulo 2^32.';

--
-- Name: row_image(record); Type: FUNCTION; Schema: feed; Owner: feed_sandbox
--

CREATE FUNCTION feed.row_image(row_data record) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER COST 1
    AS $$
DECLARE
    nothing text;
BEGIN
    IF CURRENT_USER OPERATOR(pg_catalog.<>) 'feed_sandbox'::pg_catalog.name THEN
        RAISE EXCEPTION 'feed.row_image must not run as %', CURRENT_USER USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'The function was altered. SELECT fix FROM feed.health WHERE topic = ''ownership'' shows how to restore it.';
    END IF;
    BEGIN
        -- Until the end of this subtransaction, whatever runs in it. Otherwise DROP OWNED BY CURRENT_USER would drop this function.
        nothing := pg_catalog.set_config('transaction_read_only', 'on', true);
        RETURN pg_catalog.to_jsonb(row_data);
    EXCEPTION WHEN transaction_rollback THEN
        RAISE;
    WHEN OTHERS THEN
        PERFORM pg_catalog.set_config('feed.unsafe', 'on', true);
        RETURN NULL;
    END;
END
$$;

ALTER FUNCTION feed.row_image(row_data record) OWNER TO feed_sandbox;

--
-- Name: FUNCTION row_image(row_data record); Type: COMMENT; Schema: feed; Owner: feed_sandbox
--

COMMENT ON FUNCTION feed.row_image(row_data record) IS 'A row as JSON, made without any privileges; null if it cannot be made, see feed.value_image. Used by feed.capture.';

--
-- Name: row_json(anyelement); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.row_json(row_data anyelement) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'feed', 'pg_temp'
    AS $_$
DECLARE
    image jsonb := feed.row_image(row_data);
BEGIN
    IF image IS NULL AND NOT row_data IS NULL THEN -- a row IS NOT NULL only if no column is null
        EXECUTE 'SELECT ' || feed.unsafe_columns((SELECT t.typrelid FROM pg_type AS t WHERE t.oid = pg_typeof(row_data)), '($1)')
        INTO image USING row_data;
    END IF;
    RETURN image;
END
$_$;

ALTER FUNCTION feed.row_json(row_data anyelement) OWNER TO feed_owner;

--
-- Name: FUNCTION row_json(row_data anyelement); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.row_json(row_data anyelement) IS 'A row of a table as JSON, as feed.log has it: feed.row_json(o) FROM opportunities AS o. See feed.value_image.';

--
-- Name: row_key(jsonb, text[]); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.row_key(row_data jsonb, key_columns text[]) RETURNS text
    LANGUAGE sql IMMUTABLE COST 1 PARALLEL SAFE
    RETURN CASE WHEN (cardinality(key_columns) = 1) THEN (row_data ->> (key_columns)[1]) WHEN (row_data ?& key_columns) THEN (SELECT (jsonb_agg((row_key.row_data -> k.name) ORDER BY k.place))::text AS jsonb_agg FROM unnest(row_key.key_columns) WITH ORDINALITY k(name, place)) ELSE NULL::text END;

ALTER FUNCTION feed.row_key(row_data jsonb, key_columns text[]) OWNER TO feed_owner;

--
-- Name: FUNCTION row_key(row_data jsonb, key_columns text[]); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.row_key(row_data jsonb, key_columns text[]) IS 'Key of a row as written in feed.log: the text of a single key column, or a JSON array of several.';

--
-- Name: run_as_owner(regclass, text, text[], jsonb[]); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.run_as_owner(target regclass, statement text, keys text[] DEFAULT NULL::text[], images jsonb[] DEFAULT NULL::jsonb[]) RETURNS text[]
    LANGUAGE plpgsql
    AS $_$
DECLARE
    path CONSTANT text := pg_catalog.current_setting('search_path');
    owner CONSTANT name := (SELECT pg_catalog.pg_get_userbyid(c.relowner) FROM pg_catalog.pg_class AS c WHERE c.oid OPERATOR(pg_catalog.=) target::pg_catalog.oid);
    result text[];
    left_open text;
BEGIN
    IF owner OPERATOR(pg_catalog.=) CURRENT_USER THEN
        EXECUTE statement INTO result USING keys, images;
        RETURN result;
    END IF;
    EXECUTE pg_catalog.format('CREATE FUNCTION pg_temp.feed_run_as_owner(keys text[], images jsonb[]) RETURNS text[] LANGUAGE plpgsql SECURITY DEFINER '
                              'SET search_path = pg_catalog, pg_temp AS %L', pg_catalog.format(
        'DECLARE result text[]; BEGIN EXECUTE %L INTO result USING keys, images; SET CONSTRAINTS ALL IMMEDIATE; RETURN result; END', statement));
    EXECUTE pg_catalog.format('ALTER FUNCTION pg_temp.feed_run_as_owner(text[], jsonb[]) OWNER TO %I', owner);
    EXECUTE 'SELECT pg_temp.feed_run_as_owner($1, $2)' INTO result USING keys, images;
    IF pg_catalog.current_setting('search_path') OPERATOR(pg_catalog.<>) path THEN
        PERFORM pg_catalog.set_config('search_path', path, false);
    END IF;
    DROP FUNCTION pg_temp.feed_run_as_owner(text[], jsonb[]);
    FOR left_open IN SELECT c.name FROM pg_catalog.pg_cursors AS c WHERE c.is_holdable LOOP
        EXECUTE pg_catalog.format('CLOSE %I', left_open);
    END LOOP;
    RETURN result;
END
$_$;

ALTER FUNCTION feed.run_as_owner(target regclass, statement text, keys text[], images jsonb[]) OWNER TO feed_owner;

--
-- Name: FUNCTION run_as_owner(target regclass, statement text, keys text[], images jsonb[]); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.run_as_owner(target regclass, statement text, keys text[], images jsonb[]) IS 'Runs a statement that reads or writes a table of the application with the rights of its owner, and returns its array. Used by feed.mend.';

--
-- Name: seal(integer); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.seal(size integer DEFAULT 2000) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'feed', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS $_$
DECLARE
    everything CONSTANT bigint := 9223372036854775807;
    budget CONSTANT bigint := 4194304;
    last feed.seals;
    next feed.seals;
    after_xid xid8;
    after_seq bigint;
    part_start bigint;
    complete boolean;
    horizon xid8;
    first xid8;
    beyond xid8;
BEGIN
    IF NOT EXISTS (SELECT FROM feed.flags AS f WHERE f.flag = 'seal') THEN
        RETURN false;
    END IF;
    -- One session at a time. No partition is started or dropped meanwhile.
    PERFORM FROM feed.maintenance FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    SELECT * INTO last FROM feed.seals ORDER BY number DESC LIMIT 1;
    next.number := coalesce(last.number, 0) + 1;
    next.partition_number := coalesce(last.partition_number,
        (SELECT min(substring(l.partition::text FROM '(\d+)$')::bigint) FROM feed.log_partitions() AS l), current_partition());
    after_xid := coalesce(last.xid, '0');
    after_seq := CASE WHEN last.number IS NULL THEN -everything ELSE coalesce(last.part_seq, everything) END;

    IF last.part_seq IS NOT NULL THEN
        next.xid := last.xid;
        next.part_end := last.part_end;
        part_start := last.part_seq;
    END IF;
    WHILE next.xid IS NULL LOOP
        complete := next.partition_number < current_partition()
                    AND pg_snapshot_xmin(pg_current_snapshot())::text::bigint >= pg_sequence_last_value('feed.partition_xid');
        horizon := CASE WHEN complete THEN '18446744073709551615'
                        WHEN next.partition_number >= (SELECT i.first_partition FROM feed.identity AS i) THEN pg_snapshot_xmin(pg_current_snapshot())
                        ELSE '0' END;
        WITH ahead AS (
            SELECT l.xid, row_number() OVER w > size OR sum(l.bytes) OVER w > budget AS over
            FROM (SELECT n.xid, 500 + coalesce(pg_column_size(n.old), 0) + coalesce(pg_column_size(n.new), 0) AS bytes FROM feed.log AS n
                  WHERE n.partition_number = next.partition_number AND n.xid > after_xid AND n.xid < horizon ORDER BY n.xid LIMIT size + 1) AS l
            WINDOW w AS (ORDER BY l.xid ROWS UNBOUNDED PRECEDING)
        ), ends AS (
            SELECT min(a.xid) AS first, min(a.xid) FILTER (WHERE a.over) AS beyond FROM ahead AS a
        )
        SELECT e.first, e.beyond, (SELECT max(a.xid) FROM ahead AS a WHERE e.beyond IS NULL OR a.xid < e.beyond)
        INTO first, beyond, next.xid FROM ends AS e;
        IF first = beyond THEN
            next.xid := first;
            SELECT min(l.seq) - 1, max(l.seq) INTO part_start, next.part_end
            FROM feed.log AS l WHERE l.partition_number = next.partition_number AND l.xid = first;
        ELSIF first IS NULL AND complete THEN
            next.partition_number := next.partition_number + 1;
            after_xid := '0';
            after_seq := -everything;
        ELSIF first IS NULL THEN
            RETURN false;
        END IF;
    END LOOP;

    IF next.part_end IS NOT NULL THEN
        SELECT max(l.seq) INTO next.part_seq
        FROM (SELECT n.seq, row_number() OVER w > 1 AND sum(n.bytes) OVER w > budget AS over
              FROM (SELECT p.seq, 500 + coalesce(pg_column_size(p.old), 0) + coalesce(pg_column_size(p.new), 0) AS bytes FROM feed.log AS p
                    WHERE p.partition_number = next.partition_number AND p.seq > part_start AND p.seq <= next.part_end AND p.xid::text = next.xid::text
                    ORDER BY p.seq LIMIT size) AS n
              WINDOW w AS (ORDER BY n.seq)) AS l
        WHERE NOT l.over;
        IF next.part_seq < next.part_end IS NOT TRUE THEN
            next.part_seq := NULL;
            next.part_end := NULL;
        END IF;
    END IF;
    SELECT h.changes, h.first_seq, h.last_seq, h.hash INTO next.changes, next.first_seq, next.last_seq, next.rows_hash
    FROM feed.hash_changes(next.partition_number, after_xid, after_seq, next.xid, coalesce(next.part_seq, everything)) AS h;
    next.sealed_at := clock_timestamp();
    next.hash := feed.seal_hash(next, last.hash);
    INSERT INTO feed.seals SELECT next.*;
    RETURN beyond IS NOT NULL OR last.part_seq IS NOT NULL OR next.part_seq IS NOT NULL OR complete IS TRUE;
END
$_$;

ALTER FUNCTION feed.seal(size integer) OWNER TO feed_owner;

--
-- Name: FUNCTION seal(size integer); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.seal(size integer) IS 'Seals the next rows of feed.log, if this is switched on (boardcast flags seal on): writes a row of feed.seals. Returns whether there are more to seal now; false, too, if another session does it.';

--
-- Name: seals; Type: TABLE; Schema: feed; Owner: feed_owner
--

CREATE TABLE feed.seals (
    number bigint NOT NULL,
    partition_number bigint NOT NULL,
    xid xid8 NOT NULL,
    part_seq bigint,
    part_end bigint,
    changes bigint NOT NULL,
    first_seq bigint,
    last_seq bigint,
    sealed_at timestamp with time zone NOT NULL,
    rows_hash text NOT NULL,
    hash text NOT NULL
);

ALTER TABLE feed.seals OWNER TO feed_owner;

--
-- Name: TABLE seals; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON TABLE feed.seals IS 'Hashes of the rows of the log, which prove that nobody has altered them since (boardcast flags seal on). Each seal covers the rows that follow the previous seal, and its hash includes the previous seal''s hash. Written by feed.seal(), checked by feed.verify_seals().';

--
-- Name: COLUMN seals.number; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.seals.number IS 'Counts the seals, starting at 1';

--
-- Name: COLUMN seals.partition_number; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.seals.partition_number IS 'The partition that has the rows. A seal covers rows of one partition, because partitions are dropped whole.';

--
-- Name: COLUMN seals.xid; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.seals.xid IS 'The last transaction of the rows: they are sealed in the order of xid, seq';

--
-- Name: COLUMN seals.part_seq; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.seals.part_seq IS 'The last row of that transaction that is covered, if a large transaction has several seals; null: all its rows in this partition are';

--
-- Name: COLUMN seals.part_end; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.seals.part_end IS 'If part_seq is set: the largest sequence number of that transaction in this partition';

--
-- Name: COLUMN seals.changes; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.seals.changes IS 'How many rows are sealed';

--
-- Name: COLUMN seals.first_seq; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.seals.first_seq IS 'Smallest sequence number among them';

--
-- Name: COLUMN seals.last_seq; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.seals.last_seq IS 'Largest sequence number among them. Rows in between may belong to a later seal, because transactions overlap.';

--
-- Name: COLUMN seals.sealed_at; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.seals.sealed_at IS 'When they were sealed';

--
-- Name: COLUMN seals.rows_hash; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.seals.rows_hash IS 'SHA-256 of the hashes of these rows, in hexadecimal; see feed.hash_changes';

--
-- Name: COLUMN seals.hash; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.seals.hash IS 'SHA-256 of all other columns and of the previous seal''s hash, in hexadecimal. Store it elsewhere: it proves all rows up to here.';

--
-- Name: seal_hash(feed.seals, text); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.seal_hash(seal feed.seals, previous text) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    -- A column without a value leaves an empty place.
    SELECT encode(sha256(convert_to(format('%s %s %s %s %s %s %s %s %s %s %s', previous, seal.number, seal.partition_number, seal.xid,
        seal.part_seq, seal.part_end, seal.changes, seal.first_seq, seal.last_seq, extract(epoch FROM seal.sealed_at), seal.rows_hash), 'UTF8')), 'hex')
$$;

ALTER FUNCTION feed.seal_hash(seal feed.seals, previous text) OWNER TO feed_owner;

--
-- Name: FUNCTION seal_hash(seal feed.seals, previous text); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.seal_hash(seal feed.seals, previous text) IS 'The hash of a seal, given the hash of the previous seal (null for the first seal).';

--
-- Name: seq_since(timestamp with time zone); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.seq_since(moment timestamp with time zone) RETURNS bigint
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    low bigint := (SELECT min(l.seq) FROM feed.log AS l);
    high bigint := (SELECT max(l.seq) + 1 FROM feed.log AS l);
    middle bigint;
    found_seq bigint;
    found_at timestamptz;
BEGIN
    WHILE low < high LOOP
        middle := low + (high - low) / 2;
        SELECT l.seq, l.at INTO found_seq, found_at FROM feed.log AS l WHERE l.seq >= middle ORDER BY l.seq LIMIT 1;
        IF found_at <= moment THEN
            low := found_seq + 1;
        ELSE
            high := middle;
        END IF;
    END LOOP;
    RETURN coalesce(low, 0);
END
$$;

ALTER FUNCTION feed.seq_since(moment timestamp with time zone) OWNER TO feed_owner;

--
-- Name: FUNCTION seq_since(moment timestamp with time zone); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.seq_since(moment timestamp with time zone) IS 'First sequence number written after a time, found quickly: WHERE seq >= feed.seq_since(''yesterday 10:00'') AND seq < feed.seq_since(''yesterday 10:30'').';

--
-- Name: set_capture(boolean); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.set_capture(captures boolean) RETURNS SETOF regclass
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'feed', 'pg_temp'
    SET lock_timeout TO '900ms'
    AS $$
DECLARE
    deadline CONSTANT timestamptz := clock_timestamp() + interval '900 ms';
    was_off CONSTANT boolean := EXISTS (SELECT FROM feed.flags AS f WHERE f.flag = 'capture');
    tables regclass[];
    not_owned record;
    locked regclass;
    each record;
    always jsonb;
BEGIN
    IF captures IS NULL THEN
        RETURN;
    END IF;
    SELECT array_agg(DISTINCT t.relation::oid ORDER BY t.relation::oid) INTO tables
    FROM feed.triggers AS t
    WHERE t.function IN ('capture', 'begin_statement') AND t.relation <> 'feed.flags'::regclass
      AND t.state = ANY (CASE WHEN captures THEN '{disabled}' ELSE '{on,always,stale,renamed}' END::text[]);
    tables := coalesce(tables, '{}');
    SELECT c.oid::regclass AS name, pg_get_userbyid(c.relowner) AS owner INTO not_owned
    FROM pg_class AS c WHERE c.oid = ANY (tables) AND NOT pg_has_role(c.relowner, 'USAGE') LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'table % is owned by %, and only its owner can enable or disable its triggers', not_owned.name, quote_ident(not_owned.owner)
            USING ERRCODE = 'insufficient_privilege',
                  HINT = format('GRANT %I TO %I, or run this as a superuser.', not_owned.owner, current_user);
    END IF;
    IF current_setting('synchronous_commit') = 'off' THEN
        PERFORM set_config('synchronous_commit', 'local', true);
    END IF;
    FOREACH locked IN ARRAY tables LOOP
        PERFORM set_config('lock_timeout', greatest(1, extract(epoch FROM deadline - clock_timestamp()) * 1000)::integer::text, true);
        EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', locked);
    END LOOP;

    IF captures THEN
        DELETE FROM feed.flags AS f WHERE f.flag = 'capture' RETURNING f.always_triggers INTO always;
    ELSE
        SELECT jsonb_object_agg(a.name, a.triggers) INTO always
        FROM (SELECT t.relation::text AS name, jsonb_agg(t.trigger) AS triggers FROM feed.triggers AS t
              WHERE t.relation = ANY (tables) AND t.state = 'always' GROUP BY t.relation) AS a;
        INSERT INTO feed.flags AS f (flag, scope, value, always_triggers) VALUES ('capture', 'everybody', 'off', always)
        ON CONFLICT (flag, scope, user_id) DO UPDATE SET always_triggers = coalesce(f.always_triggers, '{}') || coalesce(excluded.always_triggers, '{}');
    END IF;
    FOR each IN
        SELECT t.relation, t.trigger FROM feed.triggers AS t
        WHERE t.relation = ANY (tables) AND t.function IN ('capture', 'begin_statement') AND t.state <> 'missing'
    LOOP
        EXECUTE format('ALTER TABLE %s %s TRIGGER %I', each.relation,
                       CASE WHEN NOT captures THEN 'DISABLE' WHEN always -> each.relation::text ? each.trigger THEN 'ENABLE ALWAYS' ELSE 'ENABLE' END,
                       each.trigger);
    END LOOP;
    IF captures AND (was_off OR tables <> '{}') THEN
        PERFORM feed.reset_feed('capture was off');
    END IF;
    RETURN QUERY SELECT unnest(tables);
END
$$;

ALTER FUNCTION feed.set_capture(captures boolean) OWNER TO feed_owner;

--
-- Name: FUNCTION set_capture(captures boolean); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.set_capture(captures boolean) IS 'Switches logging of writes on or off, and returns the tables affected. Off: the feed''s triggers are disabled on all attached tables, and no user is offered live updates. Switching it on again renews the feed ID, so that every client reloads; run boardcast verify --repair afterwards. Waits for writers for at most 0.9 s in total, then fails with SQLSTATE 55P03.';

--
-- Name: set_notify(boolean); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.set_notify(enabled boolean) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'feed', 'pg_temp'
    AS $$
BEGIN
    UPDATE feed.pacer SET muted = NOT enabled WHERE enabled IS NOT NULL;
    IF enabled THEN
        DELETE FROM feed.flags AS f WHERE f.flag = 'notify';
    ELSIF NOT enabled THEN
        INSERT INTO feed.flags (flag, scope, value) VALUES ('notify', 'everybody', 'off') ON CONFLICT DO NOTHING;
    END IF;
    PERFORM pg_notify('boardcast_pacer', '');
END
$$;

ALTER FUNCTION feed.set_notify(enabled boolean) OWNER TO feed_owner;

--
-- Name: FUNCTION set_notify(enabled boolean); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.set_notify(enabled boolean) IS 'Switches NOTIFY on or off. Off: no trigger sends NOTIFY. Changes are logged as before, and delivered by the read pass that every instance makes once a second.';

--
-- Name: set_seal(boolean); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.set_seal(enabled boolean) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'feed', 'pg_temp'
    AS $$
    DELETE FROM feed.flags AS f WHERE f.flag = 'seal' AND NOT enabled;
    INSERT INTO feed.flags (flag, scope, value) SELECT 'seal', 'everybody', 'on' WHERE enabled ON CONFLICT DO NOTHING;
$$;

ALTER FUNCTION feed.set_seal(enabled boolean) OWNER TO feed_owner;

--
-- Name: FUNCTION set_seal(enabled boolean); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.set_seal(enabled boolean) IS 'Switches sealing of the log on or off. Existing seals stay, and verify checks them. After it is switched on again, sealing continues where it stopped.';

--
-- Name: short_key(text); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.short_key(key text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN (octet_length(key) > 2000) THEN ('md5:'::text || md5(key)) ELSE key END;

ALTER FUNCTION feed.short_key(key text) OWNER TO feed_owner;

--
-- Name: FUNCTION short_key(key text); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.short_key(key text) IS 'A key as feed.log has it: a key of more than 2,000 bytes is replaced by its MD5 hash.';

--
-- Name: short_text(text); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.short_text(text_value text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN (octet_length(text_value) > 600) THEN ('md5:'::text || md5(text_value)) ELSE text_value END;

ALTER FUNCTION feed.short_text(text_value text) OWNER TO feed_owner;

--
-- Name: FUNCTION short_text(text_value text); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.short_text(text_value text) IS 'A text as feed.stage_changes has it: one of more than 600 bytes is replaced by its MD5 hash.';

--
-- Name: single_key(regclass); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.single_key(target regclass) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    SELECT a.attname::text FROM pg_attribute AS a
    LEFT JOIN pg_index AS i ON i.indrelid = target AND i.indisprimary AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum
    WHERE a.attrelid = target AND a.attnum > 0 AND NOT a.attisdropped AND (a.attname = 'id' OR i.indrelid IS NOT NULL)
    ORDER BY i.indrelid IS NULL LIMIT 1
$$;

ALTER FUNCTION feed.single_key(target regclass) OWNER TO feed_owner;

--
-- Name: FUNCTION single_key(target regclass); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.single_key(target regclass) IS 'The column that identifies a row of users or opportunities: the primary key or, of a view, the column id. Null if there is none, or if the key has several columns.';

--
-- Name: sort_nested(text, bigint, bigint); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.sort_nested(relation_name text, since bigint, logged bigint) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'feed', 'pg_temp'
    SET plan_cache_mode TO 'force_generic_plan'
    SET enable_seqscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    AS $$
#variable_conflict use_variable
DECLARE
    current_xid xid8 := pg_current_xact_id();
BEGIN
    WITH logged_since AS MATERIALIZED (
        SELECT r.seq, r.partition_number, r.key, r.op, r.seq > logged AS own
        FROM (SELECT l.seq, l.partition_number, l.xid, l.relation, l.key, l.op FROM feed.log AS l
              WHERE l.seq > since AND l.partition_number >= feed.first_partition_since(current_xid) OFFSET 0) AS r
        WHERE r.xid = current_xid AND r.relation = relation_name
    ), changes AS (
        SELECT c.*, bool_or(c.own) OVER same AS has_own, max(c.seq) FILTER (WHERE c.own AND c.op = 'insert') OVER same AS own_insert,
               row_number() OVER in_order AS place, lead(c.op) OVER in_order AS next_op, lead(c.own) OVER in_order AS next_own
        FROM logged_since AS c
        WINDOW same AS (PARTITION BY c.key), in_order AS (PARTITION BY c.key ORDER BY c.seq)
    ), nested AS (
        SELECT n.*, min(n.place) FILTER (WHERE n.op = 'delete' AND (n.next_own OR n.next_op <> 'insert')) OVER (PARTITION BY n.key) AS room_made
        FROM changes AS n
        WHERE n.has_own AND NOT n.own
    ), judged AS (
        -- Whether a row was there before an INSERT. Then what was logged up to the DELETE that made room for it came before.
        SELECT n.*, bool_or(n.own_insert IS NOT NULL AND n.place = 1
                            AND CASE n.op WHEN 'insert' THEN true
                                ELSE coalesce((SELECT p.op <> 'delete' FROM feed.log AS p
                                               WHERE p.relation = relation_name AND p.key = n.key AND p.seq <= since
                                               ORDER BY p.seq DESC LIMIT 1),
                                              (SELECT f.old FROM feed.log AS f WHERE f.seq = n.seq)
                                              IS DISTINCT FROM (SELECT o.new FROM feed.log AS o WHERE o.seq = n.own_insert)) END)
                    OVER (PARTITION BY n.key) AS was_there
        FROM nested AS n
    )
    UPDATE feed.log AS l SET seq = m.seq, at = clock_timestamp()
    FROM (SELECT w.seq AS was, w.partition_number, nextval('feed.log_seq') AS seq
          FROM (SELECT j.seq, j.partition_number FROM judged AS j
                WHERE j.place > CASE WHEN j.was_there THEN coalesce(j.room_made, 0) ELSE 0 END
                ORDER BY j.seq OFFSET 0) AS w) AS m
    WHERE l.seq = m.was AND l.partition_number = m.partition_number;
END
$$;

ALTER FUNCTION feed.sort_nested(relation_name text, since bigint, logged bigint) OWNER TO feed_owner;

--
-- Name: FUNCTION sort_nested(relation_name text, since bigint, logged bigint); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.sort_nested(relation_name text, since bigint, logged bigint) IS 'Sorts what was logged while a statement ran: for each row, the statement''s own change comes before those of its triggers.';

--
-- Name: stage_kind(jsonb, text); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.stage_kind(phases jsonb, phase text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (SELECT COALESCE(min((e.value ->> 'kind'::text)), 'open'::text) AS "coalesce" FROM jsonb_array_elements(CASE jsonb_typeof(stage_kind.phases) WHEN 'array'::text THEN stage_kind.phases ELSE '[]'::jsonb END) e(value) WHERE ((e.value ->> 'id'::text) = stage_kind.phase));

ALTER FUNCTION feed.stage_kind(phases jsonb, phase text) OWNER TO feed_owner;

--
-- Name: FUNCTION stage_kind(phases jsonb, phase text); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.stage_kind(phases jsonb, phase text) IS 'The kind of a stage of a board with these stages: open, won, or lost.';

--
-- Name: stage_source(); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.stage_source() RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    -- Columns that are missing will be added with these values (see feed.mend_columns).
    SELECT format('SELECT DISTINCT %s AS board_id, %s AS phase FROM %s AS o',
                  CASE WHEN b.name IS NOT NULL THEN feed.json_text(format('o.%I', b.name), (SELECT a.atttypid FROM pg_attribute AS a WHERE a.attrelid = t.target AND a.attname = b.name))
                       WHEN EXISTS (SELECT FROM feed.adopted AS a WHERE a.role = 'opportunities' AND 'board_id' = ANY (a.added)) THEN '(SELECT coalesce(feed.default_board(), ''main''))' -- once, not for each row
                       ELSE '''main''' END,
                  CASE WHEN p.name IS NOT NULL THEN feed.json_text(format('o.%I', p.name), (SELECT a.atttypid FROM pg_attribute AS a WHERE a.attrelid = t.target AND a.attname = p.name))
                       ELSE quote_literal('') END, t.target)
    FROM (SELECT feed.opportunities_table() AS target) AS t
    JOIN feed.field_columns() AS b ON b.field = 'board_id'
    JOIN feed.field_columns() AS p ON p.field = 'phase'
    JOIN feed.field_columns() AS k ON k.field = 'id' AND k.name IS NOT NULL
    WHERE t.target IS NOT NULL
$$;

ALTER FUNCTION feed.stage_source() OWNER TO feed_owner;

--
-- Name: FUNCTION stage_source(); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.stage_source() IS 'The statement that returns the boards and the stages in which the opportunities are (board_id, phase); null if there is no table. Used by feed.mend_boards.';

--
-- Name: start_stage_changes(); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.start_stage_changes() RETURNS SETOF text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    attached record;
BEGIN
    SELECT a.attached_at, a.was_empty INTO attached FROM feed.attached AS a WHERE a.relation = feed.opportunities_table();
    IF attached.was_empty IS DISTINCT FROM false THEN
        RETURN;
    END IF;
    INSERT INTO feed.stage_changes AS s (board_id, opportunity_id, seq, at, to_phase)
    SELECT f.board_id, f.opportunity_id, 0, attached.attached_at, f.from_phase
    FROM (SELECT DISTINCT ON (c.board_id, c.opportunity_id) c.* FROM feed.stage_changes AS c ORDER BY c.board_id, c.opportunity_id, c.seq) AS f
    WHERE f.from_phase IS NOT NULL
    UNION ALL
    SELECT feed.short_text(o.board_id), feed.short_text(o.id), 0, attached.attached_at, feed.short_text(o.body ->> 'phase')
    FROM feed.opportunities_on(ARRAY(SELECT b.id FROM feed.boards AS b)) AS o
    WHERE NOT EXISTS (SELECT FROM feed.stage_changes AS c
                      WHERE c.board_id = feed.short_text(o.board_id) AND c.opportunity_id = feed.short_text(o.id))
    ON CONFLICT DO NOTHING;
    RETURN QUERY SELECT o.id FROM feed.opportunities_on(ARRAY(SELECT b.id FROM feed.boards AS b)) AS o;
END
$$;

ALTER FUNCTION feed.start_stage_changes() OWNER TO feed_owner;

--
-- Name: FUNCTION start_stage_changes(); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.start_stage_changes() IS 'Adds to feed.stage_changes the opportunities that were there when their table was attached. Returns the IDs of all, whose closings are to be noted. Used by feed.read_stage_changes.';

--
-- Name: stored_image(jsonb); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.stored_image(image jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    names jsonb := feed.field_names();
    columns jsonb := (SELECT jsonb_object_agg(f.field, f.name) FROM feed.field_columns() AS f WHERE f.name IS NOT NULL);
BEGIN
    RETURN (SELECT jsonb_object_agg(coalesce(columns ->> (names ->> e.key), e.key), e.value ORDER BY e.key IN (SELECT c.value FROM jsonb_each_text(columns) AS c))
            FROM jsonb_each(image) AS e);
END
$$;

ALTER FUNCTION feed.stored_image(image jsonb) OWNER TO feed_owner;

--
-- Name: FUNCTION stored_image(image jsonb); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.stored_image(image jsonb) IS 'An image of an opportunity from the log, under the names that the columns have now. Used to restore versions.';

--
-- Name: suppress_notify(integer); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.suppress_notify(ahead integer) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    lease feed.pacer;
BEGIN
    SELECT * INTO lease FROM feed.pacer;
    PERFORM setval('feed.notify_suppressed_until', CASE
        WHEN lease.muted THEN 9007199254740991
        WHEN ahead > 0 AND lease.pid = pg_backend_pid() THEN (date_part('epoch', clock_timestamp()) * 1000)::bigint + least(ahead, 1000)
        ELSE 0 END);
    RETURN lease.muted;
END
$$;

ALTER FUNCTION feed.suppress_notify(ahead integer) OWNER TO feed_owner;

--
-- Name: FUNCTION suppress_notify(ahead integer); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.suppress_notify(ahead integer) IS 'Lets writers skip NOTIFY for some milliseconds, or ends that if 0, and returns whether NOTIFY is switched off. Called in the statement that renews the lease of the pacer, so under the lock of its row.';

--
-- Name: table_layout(oid); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.table_layout(target oid) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    -- PostgreSQL 17 can give a generated column another expression.
    SELECT coalesce(jsonb_object_agg(a.attname, concat_ws(' ', a.attnum, format_type(a.atttypid, a.atttypmod), md5(pg_get_expr(d.adbin, d.adrelid)))), '{}')
    FROM pg_attribute AS a LEFT JOIN pg_attrdef AS d ON a.attgenerated <> '' AND d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = target AND a.attnum > 0 AND NOT a.attisdropped
$$;

ALTER FUNCTION feed.table_layout(target oid) OWNER TO feed_owner;

--
-- Name: FUNCTION table_layout(target oid); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.table_layout(target oid) IS 'The columns of a table by name: the number and the type of each, and a hash of the expression that generates it.';

--
-- Name: table_obstacles(regclass); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.table_obstacles(target regclass) RETURNS TABLE(reason text, hint text, code text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    checked record;
    parent regclass;
BEGIN
    SELECT c.relkind, c.relpersistence, c.relispartition, n.nspname AS schema, pg_get_userbyid(c.relowner) AS owner,
           pg_has_role(c.relowner, 'USAGE') AS owned
    INTO checked FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = target;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'no table given', 'Pass the name of a table, such as feed.attach(''public.tasks'').', 'undefined_table';
        RETURN;
    ELSIF checked.schema = 'feed' AND target NOT IN (to_regclass('feed.boards'), to_regclass('feed.board_members'), to_regclass('feed.flags'), to_regclass('feed.opportunity_details')) THEN
        RETURN QUERY SELECT format('%s belongs to the feed itself and cannot be attached', target), NULL, 'invalid_table_definition';
        RETURN;
    ELSIF checked.schema IN ('pg_catalog', 'information_schema', 'pg_toast') THEN
        RETURN QUERY SELECT format('%s is a system catalog and cannot be attached', target), NULL, 'wrong_object_type';
        RETURN;
    ELSIF checked.relkind NOT IN ('r', 'p') THEN
        RETURN QUERY SELECT format('%s is %s, not a table', target,
            CASE checked.relkind WHEN 'v' THEN 'a view' WHEN 'm' THEN 'a materialized view' WHEN 'f' THEN 'a foreign table'
                                 WHEN 'S' THEN 'a sequence' WHEN 'i' THEN 'an index' WHEN 'I' THEN 'an index' ELSE 'a type' END),
            CASE WHEN checked.relkind IN ('v', 'm') THEN 'Attach the tables that it reads from: writes through a view are logged there.'
                 WHEN checked.relkind = 'f' THEN 'Its rows are written in another database: attach the table there.' ELSE 'Name a table.' END,
            'wrong_object_type';
        RETURN;
    END IF;
    IF checked.relpersistence = 't' THEN
        RETURN QUERY SELECT format('table %s is temporary: no other session can read its rows', target), NULL, 'wrong_object_type';
    ELSIF checked.relpersistence = 'u' THEN
        RETURN QUERY SELECT format('table %s is unlogged: a crash would empty it without a change in the log', target),
                            format('Use ALTER TABLE %s SET LOGGED.', target), 'wrong_object_type';
    END IF;
    IF NOT checked.owned THEN
        RETURN QUERY SELECT format('table %s is owned by %s, and only its owner can create or drop triggers on it', target, quote_ident(checked.owner)),
                            format('GRANT %I TO %I, or run this as a superuser.', checked.owner, current_user), 'insufficient_privilege';
    END IF;
    IF checked.relispartition THEN
        RETURN QUERY SELECT format('table %s is a partition: writes to %s do not fire its triggers', target, pg_partition_root(target)),
                            format('Attach the partitioned table: feed.attach(%L).', pg_partition_root(target)), 'invalid_table_definition';
    END IF;
    SELECT i.inhparent INTO parent FROM pg_inherits AS i
    WHERE checked.relkind = 'r' AND NOT checked.relispartition AND target IN (i.inhparent, i.inhrelid) LIMIT 1;
    IF FOUND THEN
        RETURN QUERY SELECT format('table %s is %s: its rows are written through two tables, and keys are not unique across both', target,
                                   CASE parent WHEN target THEN 'an inheritance parent' ELSE 'a child of ' || parent END),
                            'Partitioned tables can be attached: use PARTITION BY instead of INHERITS.', 'invalid_table_definition';
    END IF;
    IF NOT checked.owned THEN
        RETURN; -- and may not read feed.attached
    END IF;
    -- On an attached table, such a trigger is one of ours that was replaced, and feed.attach creates it again.
    RETURN QUERY
    SELECT format('table %s has a trigger %s of its own, and boardcast needs the name', target, t.tgname),
           format('Use ALTER TRIGGER %I ON %s RENAME TO another name.', t.tgname, target), 'duplicate_object'
    FROM pg_trigger AS t JOIN pg_proc AS p ON p.oid = t.tgfoid
    WHERE t.tgrelid = target AND NOT t.tgisinternal AND p.pronamespace <> 'feed'::regnamespace
      AND t.tgname IN ('feed_begin', 'feed_capture_insert', 'feed_capture_update', 'feed_capture_delete', 'feed_capture_truncate', 'zz_feed_version')
      AND NOT EXISTS (SELECT FROM feed.attached AS a WHERE a.relation = target)
    ORDER BY t.tgname;
END
$$;

ALTER FUNCTION feed.table_obstacles(target regclass) OWNER TO feed_owner;

--
-- Name: FUNCTION table_obstacles(target regclass); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.table_obstacles(target regclass) IS 'Why a table cannot be attached, whatever its key: each reason, what to do, and the SQLSTATE; no row if it can. Used by feed.attach.';

--
-- Name: tail(interval, text, text, text, text, integer); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.tail(since interval DEFAULT '00:10:00'::interval, board text DEFAULT NULL::text, opportunity text DEFAULT NULL::text, actor text DEFAULT NULL::text, relation text DEFAULT NULL::text, lim integer DEFAULT 50) RETURNS SETOF feed.trigger_log
    LANGUAGE sql STABLE
    BEGIN ATOMIC
 SELECT newest.seq,
     newest.at,
     newest.actor,
     newest.source,
     newest.op,
     newest.relation,
     newest.key,
     newest.board,
     newest.title,
     newest.changes,
     newest.version,
     newest.xid,
     newest.step,
     newest.origin,
     newest.traceparent,
     newest.application,
     newest.client_addr,
     newest.db_user,
     newest.pid,
     newest.notified,
     newest.old,
     newest.new
    FROM ( SELECT t.seq,
             t.at,
             t.actor,
             t.source,
             t.op,
             t.relation,
             t.key,
             t.board,
             t.title,
             t.changes,
             t.version,
             t.xid,
             t.step,
             t.origin,
             t.traceparent,
             t.application,
             t.client_addr,
             t.db_user,
             t.pid,
             t.notified,
             t.old,
             t.new
            FROM feed.trigger_log t
           WHERE (((tail.since IS NULL) OR (t.seq >= ( SELECT feed.seq_since((now() - tail.since)) AS seq_since))) AND ((tail.board IS NULL) OR (t.board = tail.board)) AND ((tail.opportunity IS NULL) OR ((t.relation = 'opportunities'::text) AND (t.key = tail.opportunity))) AND ((tail.actor IS NULL) OR (t.actor = tail.actor)) AND ((tail.relation IS NULL) OR (t.relation = tail.relation)))
           ORDER BY t.seq DESC
          LIMIT tail.lim) newest
   ORDER BY newest.seq;
END;

ALTER FUNCTION feed.tail(since interval, board text, opportunity text, actor text, relation text, lim integer) OWNER TO feed_owner;

--
-- Name: FUNCTION tail(since interval, board text, opportunity text, actor text, relation text, lim integer); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.tail(since interval, board text, opportunity text, actor text, relation text, lim integer) IS 'The newest changes, in ascending order: feed.tail(since => ''1 hour'', board => ''b1'', opportunity => ''o1'', actor => ''ana'', relation => ''tasks'', lim => 20). All arguments are optional. since => NULL: of any age.';

--
-- Name: trigger_arguments(bytea); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.trigger_arguments(tgargs bytea, OUT board text, OUT key text[], OUT excluded text[]) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    names text[] := string_to_array(replace(encode(tgargs, 'escape'), E'\\\\', chr(255)), E'\\000');
    place integer;
BEGIN
    excluded := '{}';
    IF tgargs IS NULL OR tgargs = '' THEN
        RETURN;
    END IF;
    FOR i IN 1..cardinality(names) LOOP
        -- Names in ASCII, as almost all are, need no decoding.
        IF strpos(names[i], E'\\') > 0 OR strpos(names[i], chr(255)) > 0 THEN
            names[i] := convert_from(decode(replace(names[i], chr(255), E'\\\\'), 'escape'), getdatabaseencoding());
        END IF;
    END LOOP;
    board := nullif(names[2], '');
    names := CASE WHEN names[3] = '' THEN names[4:] ELSE names[3:] END;
    names := names[:cardinality(names) - 1]; -- what follows the last zero byte
    place := coalesce(array_position(names, ''), cardinality(names) + 1);
    key := names[:place - 1];
    excluded := names[place + 1:];
END
$$;

ALTER FUNCTION feed.trigger_arguments(tgargs bytea, OUT board text, OUT key text[], OUT excluded text[]) OWNER TO feed_owner;

--
-- Name: FUNCTION trigger_arguments(tgargs bytea, OUT board text, OUT key text[], OUT excluded text[]); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.trigger_arguments(tgargs bytea, OUT board text, OUT key text[], OUT excluded text[]) IS 'Arguments of a trigger that calls feed.capture, from pg_trigger.tgargs: the board column, the key columns and the excluded columns.';

--
-- Name: trusted_type(oid); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.trusted_type(type oid) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    WITH RECURSIVE base AS (
        SELECT y.* FROM pg_type AS y WHERE y.oid = type
        UNION ALL
        SELECT y.* FROM base AS b JOIN pg_type AS y ON b.typtype = 'd' AND y.oid = b.typbasetype
    )
    SELECT b.typnamespace = 'pg_catalog'::regnamespace OR b.typtype = 'b' AND b.typelem = 0 FROM base AS b WHERE b.typtype <> 'd'
$$;

ALTER FUNCTION feed.trusted_type(type oid) OWNER TO feed_owner;

--
-- Name: FUNCTION trusted_type(type oid); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.trusted_type(type oid) IS 'Whether values of a type can be converted to text and to JSON without running code of an application.';

--
-- Name: typed_image(anyelement, jsonb); Type: FUNCTION; Schema: feed; Owner: feed_sandbox
--

CREATE FUNCTION feed.typed_image(base anyelement, image jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    AS $$
DECLARE
    nothing text;
BEGIN
    IF CURRENT_USER OPERATOR(pg_catalog.<>) 'feed_sandbox'::pg_catalog.name THEN
        RAISE EXCEPTION 'feed.typed_image must not run as %', CURRENT_USER USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'The function was altered. SELECT fix FROM feed.health WHERE topic = ''ownership'' shows how to restore it.';
    END IF;
    BEGIN
        nothing := pg_catalog.set_config('transaction_read_only', 'on', true);
        RETURN pg_catalog.to_jsonb(pg_catalog.jsonb_populate_record(base, image));
    EXCEPTION WHEN transaction_rollback THEN
        RAISE;
    WHEN OTHERS THEN
        RETURN image;
    END;
END
$$;

ALTER FUNCTION feed.typed_image(base anyelement, image jsonb) OWNER TO feed_sandbox;

--
-- Name: FUNCTION typed_image(base anyelement, image jsonb); Type: COMMENT; Schema: feed; Owner: feed_sandbox
--

COMMENT ON FUNCTION feed.typed_image(base anyelement, image jsonb) IS 'A row image converted to a row type and back, without any privileges; unchanged if that fails. Used by feed.normalize_image.';

--
-- Name: unsafe_columns(oid, text); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.unsafe_columns(target oid, source text) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    SELECT format('feed.columns_image(%L::text[], ARRAY[%s]::jsonb[])', array_agg(a.attname ORDER BY a.attnum),
                  string_agg(format('feed.value_image(%s.%I)', source, a.attname), ', ' ORDER BY a.attnum))
    FROM pg_attribute AS a
    -- Triggers do not see the values of virtual columns.
    WHERE a.attrelid = target AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated <> 'v'
$$;

ALTER FUNCTION feed.unsafe_columns(target oid, source text) OWNER TO feed_owner;

--
-- Name: FUNCTION unsafe_columns(target oid, source text); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.unsafe_columns(target oid, source text) IS 'SQL for the image of a row that to_jsonb cannot convert. Used by feed.capture and feed.row_json.';

--
-- Name: unsafe_rows(oid, text, text[], text[]); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.unsafe_rows(target oid, operation text, key_columns text[], excluded text[]) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'feed', 'pg_temp'
    AS $$
    WITH sides AS (
        SELECT s.name, format('(SELECT i.*, feed.row_key(i.data, %L) AS key FROM (SELECT %s - %L::text[] AS data, '
                              'CASE WHEN true THEN r.* END AS stored FROM %s AS r) AS i)',
                              key_columns, feed.unsafe_columns(target, 'r'), coalesce(excluded, '{}'), s.name) AS query
        FROM unnest('{old_rows,new_rows}'::text[]) AS s(name)
    )
    SELECT CASE operation
        WHEN 'INSERT' THEN format('SELECT NULL::jsonb AS before, a.data AS after FROM %s AS a', a.query)
        WHEN 'DELETE' THEN format('SELECT b.data AS before, NULL::jsonb AS after FROM %s AS b', b.query)
        ELSE format('SELECT b.data AS before, a.data AS after FROM %s AS b FULL JOIN %s AS a USING (key) WHERE %s', b.query, a.query,
                    CASE WHEN excluded IS NULL THEN 'b.stored *<> a.stored IS NOT FALSE' ELSE 'b.data IS DISTINCT FROM a.data' END) END
    FROM sides AS b CROSS JOIN sides AS a WHERE b.name = 'old_rows' AND a.name = 'new_rows'
$$;

ALTER FUNCTION feed.unsafe_rows(target oid, operation text, key_columns text[], excluded text[]) OWNER TO feed_owner;

--
-- Name: FUNCTION unsafe_rows(target oid, operation text, key_columns text[], excluded text[]); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.unsafe_rows(target oid, operation text, key_columns text[], excluded text[]) IS 'A query that returns the images of a statement''s rows, before and after it, if to_jsonb cannot convert some of them. Used by feed.capture.';

--
-- Name: user_columns(); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.user_columns(OUT target regclass, OUT key_column text, OUT name_column text) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    mapping jsonb := (SELECT a.columns FROM feed.adopted AS a WHERE a.role = 'users');
BEGIN
    target := feed.users_table();
    key_column := coalesce(feed.mapped_column(target, mapping -> 'id'), feed.single_key(target));
    name_column := coalesce(feed.mapped_column(target, mapping -> 'name'),
                            (SELECT a.attname::text FROM pg_attribute AS a WHERE a.attrelid = target AND a.attname = 'name' AND NOT a.attisdropped));
END
$$;

ALTER FUNCTION feed.user_columns(OUT target regclass, OUT key_column text, OUT name_column text) OWNER TO feed_owner;

--
-- Name: FUNCTION user_columns(OUT target regclass, OUT key_column text, OUT name_column text); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.user_columns(OUT target regclass, OUT key_column text, OUT name_column text) IS 'The table or view with the users, and its columns with their IDs and their names. key_column is null if no column identifies a user; name_column if there are no names.';

--
-- Name: user_names(text[]); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.user_names(users text[]) RETURNS TABLE(id text, name text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
    source record := feed.user_columns();
    key_type oid := (SELECT a.atttypid FROM pg_attribute AS a WHERE a.attrelid = source.target AND a.attname = source.key_column);
    name_type oid := (SELECT a.atttypid FROM pg_attribute AS a WHERE a.attrelid = source.target AND a.attname = source.name_column);
    id_text text;
BEGIN
    IF source.key_column IS NOT NULL AND NOT EXISTS (
        SELECT FROM pg_class AS c JOIN pg_roles AS reader ON reader.rolname = current_user JOIN pg_roles AS owner ON owner.oid = c.relowner
        WHERE c.oid = source.target AND c.relkind NOT IN ('r', 'p') AND reader.rolsuper AND NOT owner.rolsuper) THEN
        id_text := feed.plain_text(format('u.%I', source.key_column), key_type);
        RETURN QUERY EXECUTE format('SELECT %1$s, %2$s FROM %3$s AS u WHERE %4$s', id_text,
            CASE WHEN source.name_column IS NOT NULL THEN format('coalesce(%s, %s)', feed.plain_text(format('u.%I', source.name_column), name_type), id_text)
                 ELSE id_text END,
            source.target, feed.matches_any(format('u.%I', source.key_column), key_type, '$1')) USING users;
    END IF;
END
$_$;

ALTER FUNCTION feed.user_names(users text[]) OWNER TO feed_owner;

--
-- Name: FUNCTION user_names(users text[]); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.user_names(users text[]) IS 'Names of the users with these IDs, or their IDs if the application has no names; only of those that exist.';

--
-- Name: user_obstacles(regclass, jsonb); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.user_obstacles(target regclass, columns jsonb) RETURNS SETOF text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    relation record;
    key_column text := coalesce(columns ->> 'id', feed.single_key(target));
BEGIN
    RETURN QUERY
    SELECT format('there is no field %s of users; the fields are id and name', quote_ident(c.key)) FROM jsonb_each_text(columns) AS c WHERE c.key NOT IN ('id', 'name')
    UNION ALL
    SELECT format('%s has no column %s; its columns are %s', target, quote_ident(c.value),
                  (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute AS a WHERE a.attrelid = target AND a.attnum > 0 AND NOT a.attisdropped))
    FROM jsonb_each_text(columns) AS c
    WHERE NOT EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = target AND a.attname = c.value AND a.attnum > 0 AND NOT a.attisdropped);
    SELECT c.relkind, pg_get_userbyid(c.relowner) AS owner, pg_has_role(c.relowner, 'USAGE') AS owned INTO relation FROM pg_class AS c WHERE c.oid = target;
    IF relation.relkind NOT IN ('r', 'p', 'v', 'm', 'f') THEN
        RETURN NEXT format('%s is neither a table nor a view', target);
    ELSIF key_column IS NULL THEN
        RETURN NEXT format('%s has no primary key of one column and no column id: name the column that identifies a user', target);
    ELSIF NOT relation.owned THEN
        RETURN NEXT format('%s is owned by %s, so the services cannot be granted access: create a view of its IDs and names, and name that', target, quote_ident(relation.owner));
    ELSIF relation.relkind IN ('r', 'p') AND EXISTS (
        SELECT FROM pg_attribute AS a WHERE a.attrelid = target AND a.attname = key_column AND a.attnum > 0 AND NOT a.attisdropped) THEN
        RETURN QUERY SELECT o.reason FROM feed.key_obstacles(target, ARRAY[key_column]) AS o;
    END IF;
END
$$;

ALTER FUNCTION feed.user_obstacles(target regclass, columns jsonb) OWNER TO feed_owner;

--
-- Name: FUNCTION user_obstacles(target regclass, columns jsonb); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.user_obstacles(target regclass, columns jsonb) IS 'What keeps a table or view from being that of the users, with these columns; no row if nothing does. Used by feed.adoption_obstacles.';

--
-- Name: users_table(); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.users_table() RETURNS regclass
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    SELECT coalesce((SELECT c.oid::regclass FROM feed.adopted AS a JOIN pg_class AS c ON c.oid = a.relation WHERE a.role = 'users'),
                    to_regclass('public.users'))
$$;

ALTER FUNCTION feed.users_table() OWNER TO feed_owner;

--
-- Name: FUNCTION users_table(); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.users_table() IS 'The table or view with the users, from which their names are read; null: there is none, and users are known by their IDs only.';

--
-- Name: users_with_email(text); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.users_with_email(email text) RETURNS SETOF text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
    source record := feed.user_columns();
    found record;
BEGIN
    SELECT a.attname, a.atttypid INTO found FROM pg_attribute AS a
    WHERE a.attrelid = source.target AND a.attname = 'email' AND NOT a.attisdropped AND has_column_privilege(a.attrelid, a.attnum, 'SELECT');
    IF source.key_column IS NOT NULL AND found.attname IS NOT NULL AND NOT EXISTS (
        SELECT FROM pg_class AS c JOIN pg_roles AS reader ON reader.rolname = current_user JOIN pg_roles AS owner ON owner.oid = c.relowner
        WHERE c.oid = source.target AND c.relkind NOT IN ('r', 'p') AND reader.rolsuper AND NOT owner.rolsuper) THEN
        RETURN QUERY EXECUTE format('SELECT %s FROM %s AS u WHERE lower(%s) = lower($1) LIMIT 2',
            feed.plain_text(format('u.%I', source.key_column), (SELECT a.atttypid FROM pg_attribute AS a WHERE a.attrelid = source.target AND a.attname = source.key_column)),
            source.target, feed.plain_text('u.email', found.atttypid)) USING email;
    END IF;
END
$_$;

ALTER FUNCTION feed.users_with_email(email text) OWNER TO feed_owner;

--
-- Name: FUNCTION users_with_email(email text); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.users_with_email(email text) IS 'IDs of the users with this e-mail address, at most two; none if the services may not read addresses. Used to invite members.';

--
-- Name: value_image(anyelement); Type: FUNCTION; Schema: feed; Owner: feed_sandbox
--

CREATE FUNCTION feed.value_image(value anyelement) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    AS $_$
DECLARE
    nothing text;
BEGIN
    IF CURRENT_USER OPERATOR(pg_catalog.<>) 'feed_sandbox'::pg_catalog.name THEN
        RAISE EXCEPTION 'feed.value_image must not run as %', CURRENT_USER USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'The function was altered. SELECT fix FROM feed.health WHERE topic = ''ownership'' shows how to restore it.';
    END IF;
    BEGIN
        nothing := pg_catalog.set_config('transaction_read_only', 'on', true);
        RETURN coalesce(pg_catalog.to_jsonb(value), 'null');
    EXCEPTION WHEN transaction_rollback THEN
        RAISE;
    WHEN OTHERS THEN
        BEGIN
            nothing := pg_catalog.set_config('transaction_read_only', 'on', true);
            RETURN pg_catalog.jsonb_build_object('$text', value::pg_catalog.text);
        EXCEPTION WHEN transaction_rollback THEN
            RAISE;
        WHEN OTHERS THEN
            RETURN pg_catalog.jsonb_build_object('$omitted', pg_catalog.pg_column_size(value));
        END;
    END;
END
$_$;

ALTER FUNCTION feed.value_image(value anyelement) OWNER TO feed_sandbox;

--
-- Name: FUNCTION value_image(value anyelement); Type: COMMENT; Schema: feed; Owner: feed_sandbox
--

COMMENT ON FUNCTION feed.value_image(value anyelement) IS 'A value as JSON, made without any privileges; if jsonb cannot hold it, an object with its text ($text) or its size ($omitted).';

--
-- Name: verify_log(regclass, text, integer); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.verify_log(target regclass, after text DEFAULT NULL::text, keys integer DEFAULT 1000) RETURNS TABLE(finding text, key text, seq bigint, logged integer, found integer, columns text[], upto text, read bigint)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'feed', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    SET "DateStyle" TO 'ISO, YMD'
    SET "IntervalStyle" TO 'postgres'
    SET bytea_output TO 'hex'
    SET extra_float_digits TO '1'
    SET lc_monetary TO 'C'
    SET quote_all_identifiers TO 'off'
    SET row_security TO 'off'
    SET jit TO 'off'
    AS $_$
DECLARE
    parts record := feed.fed_columns(target);
    last text;
    emptied bigint;
    reloaded bigint;
    starts bigint[];
    floor bigint;
    redefined record;
    key_of text;
    -- A column may have had another name then.
    other_key CONSTANT text := 'CASE WHEN %2$s ?& $11 AND h.seq > $15 THEN %1$s <> h.key ELSE cardinality($11) = 1 AND %2$s IS NOT NULL '
                               'AND NOT EXISTS (SELECT FROM jsonb_each_text(%2$s) AS e WHERE feed.short_key(e.value) = h.key) END';
BEGIN
    IF target IS NULL THEN
        RETURN;
    END IF;
    key_of := format('feed.short_key(%s)', CASE WHEN cardinality(parts.key) = 1 THEN '%2$s ->> %3$L' ELSE 'feed.row_key(%2$s, %1$L)' END);
    SELECT max(l.seq) FILTER (WHERE l.op = 'truncate'), max(l.seq) FILTER (WHERE l.op = 'reload' AND l.origin = 'attach'), array_agg(l.seq ORDER BY l.seq)
    INTO emptied, reloaded, starts
    FROM feed.log AS l WHERE l.relation = parts.relation AND l.key IS NULL AND l.op IN ('truncate', 'reload') AND l.seq > parts.seq;
    SELECT i.floor_seq INTO floor FROM feed.identity AS i;
    SELECT coalesce(array_agg(r.name), '{}') AS names, array_agg(r.after) AS after, array_agg(r.upto) AS upto,
           coalesce(max(r.upto) FILTER (WHERE r.name = ANY (parts.key)), 0) AS key_upto, max(r.upto) FILTER (WHERE r.name = parts.board) AS board_upto
    INTO redefined FROM feed.redefined_columns(target) AS r;
    SELECT max(k.key) INTO last
    FROM (SELECT DISTINCT l.key FROM feed.log AS l
          WHERE l.relation = parts.relation AND l.key >= coalesce(after, '') AND l.key IS DISTINCT FROM after ORDER BY l.key LIMIT keys) AS k;
    -- To plan the statement takes some milliseconds.
    IF last IS NULL THEN
        RETURN QUERY SELECT NULL, NULL, NULL::bigint, NULL::integer, NULL::integer, NULL::text[], NULL, 0::bigint;
        RETURN;
    END IF;
    RETURN QUERY EXECUTE format($query$
        WITH history AS MATERIALIZED (
            SELECT l.*, lag(l.seq) OVER same AS before_seq, lag(l.version) OVER same AS before_version, lead(l.seq) OVER same IS NULL AS newest,
                   lag(l.op) OVER linked AS last_op, lag(l.seq) OVER linked AS last_seq, lag(l.xid) OVER linked AS last_xid,
                   lag(l.old) OVER linked AS last_old, lag(l.new) OVER linked AS last_new,
                   lag(l.delta) OVER linked AS last_delta, lag(l.image_hash) OVER linked AS last_hash,
                   lag(l.partition_number) OVER linked AS last_partition
            FROM (SELECT l.key, l.seq, l.xid, l.op, l.board, l.version, l.origin, l.old, l.new, l.delta, l.image_hash, l.partition_number,
                         width_bucket(l.seq, $5) AS chain
                  FROM feed.log AS l
                  WHERE l.relation = %1$L AND l.key >= coalesce($1, '') AND l.key IS DISTINCT FROM $1 AND l.key <= $2 AND l.seq > $4) AS l
            WINDOW same AS (PARTITION BY l.key ORDER BY l.seq), linked AS (PARTITION BY l.key, l.chain ORDER BY l.seq)
        ), compared AS (
            SELECT k.logged AS key, k.seq, k.version, k.after AS image, t.data,
                   k.op IN ('insert', 'update', 'enter') AND k.after IS NOT NULL AND k.seq > coalesce($3, 0) AS lives
            -- A key that is not that of its row may not even have the type of the key.
            FROM (SELECT h.key AS logged, CASE WHEN i.before IS NOT NULL AND NOT (%4$s) OR i.after IS NOT NULL AND NOT (%5$s) THEN
                             CASE WHEN coalesce(i.after, i.before) ?& $11 AND h.seq > $15 OR cardinality($11) > 1
                                       OR feed.normalize_image(%2$L, jsonb_build_object($11[1], h.key)) <> jsonb_build_object($11[1], h.key) THEN h.key END END AS key,
                         h.seq, h.version, i.after, h.op
                  FROM history AS h
                  CROSS JOIN LATERAL (
                      SELECT feed.image_before(%1$L, h.key, h.seq, h.op, h.old, h.new, h.delta) AS before,
                             feed.image_after(%1$L, h.key, h.seq, h.op, h.old, h.new, h.delta) AS after OFFSET 0) AS i
                  WHERE h.newest) AS k
            LEFT JOIN LATERAL (%3$s) AS t ON true
        ), judged AS (
            SELECT c.key, c.seq, c.version, feed.version_number(c.data) AS found,
                   CASE WHEN c.lives AND c.data IS NULL THEN 'gone'
                        WHEN NOT c.lives AND c.data IS NOT NULL THEN 'back'
                        WHEN c.lives AND d.columns IS NOT NULL THEN 'changed' END AS finding, d.columns
            FROM compared AS c
            LEFT JOIN LATERAL (
                SELECT array_agg(n.key ORDER BY n.key) AS columns
                FROM (SELECT c.image - ARRAY(SELECT r.name FROM unnest($12, $14) AS r(name, upto) WHERE c.seq <= r.upto) AS image OFFSET 0) AS last
                CROSS JOIN jsonb_each(c.data) AS n
                JOIN jsonb_each(feed.normalize_image(%2$L, last.image)) AS o ON o.key = n.key
                WHERE last.image ? n.key AND n.value IS DISTINCT FROM o.value
            ) AS d ON c.lives AND c.data IS NOT NULL AND c.data <> c.image
        ), checked AS MATERIALIZED (
            SELECT h.key, h.seq, h.version, h.before_version, d.columns AS differing, w.columns AS wrong, p.incomplete,
                   -- Something between this change and the one before it is missing.
                   CASE
                       -- An earlier row may have been pruned, or the table may have had rows before the log began.
                       WHEN h.last_op IS NULL THEN h.op <> 'insert' AND CASE WHEN h.chain = 0 THEN $7 ELSE $8[h.chain] END
                       WHEN h.last_seq <= $6 THEN false
                       WHEN h.op = 'enter' OR h.last_op = 'leave'
                       THEN (h.op, h.last_op, h.last_xid) IS DISTINCT FROM ('enter', 'leave', h.xid)
                            OR b.before IS DISTINCT FROM h.last_old OR a.after IS DISTINCT FROM h.last_old || h.last_new
                       WHEN h.op = 'insert' OR h.last_op = 'delete' THEN (h.op, h.last_op) <> ('insert', 'delete')
                       ELSE d.columns IS NOT NULL END
                   OR p.incomplete AND NOT p.follows
                   -- Where no image is left to compare with. Other tables may number their versions as they like.
                   OR %1$L = 'opportunities' AND h.last_op IS NULL AND h.before_seq > $6 AND h.op IN ('update', 'leave')
                      AND feed.version_number(b.before) <> h.before_version AND ('version_number' = ANY (x.names)) IS NOT TRUE AS hole
            FROM history AS h
            CROSS JOIN LATERAL (SELECT feed.image_after(%1$L, h.key, h.seq, h.op, h.old, h.new, h.delta) AS after OFFSET 0) AS a
            CROSS JOIN LATERAL (
                SELECT CASE WHEN h.delta > 0 AND h.op <> 'leave' THEN a.after || h.old
                            ELSE feed.image_before(%1$L, h.key, h.seq, h.op, h.old, h.new, h.delta) END AS before OFFSET 0) AS b
            -- The image that the last change left, from its hash alone.
            CROSS JOIN LATERAL (
                SELECT CASE WHEN h.last_delta > 0 THEN jsonb_hash_extended(b.before, 0) = h.last_hash
                            WHEN h.op IN ('update', 'leave', 'delete') THEN b.before = h.last_new END AS same OFFSET 0) AS s
            CROSS JOIN LATERAL (
                -- An image that does not have its hash, although the one before it has. If the count of changes since the whole
                -- row has a gap, a change was deleted; otherwise this one was altered.
                SELECT h.delta > 0 AND jsonb_hash_extended(a.after, 0) IS DISTINCT FROM h.image_hash
                       AND (h.last_op IS NULL OR coalesce(h.last_delta, 0) = 0 OR s.same) IS TRUE AS incomplete,
                       (h.delta, h.partition_number) IS NOT DISTINCT FROM (coalesce(h.last_delta, 0) + 1, h.last_partition) AS follows OFFSET 0) AS p
            CROSS JOIN LATERAL (
                SELECT CASE WHEN $12 <> '{}' THEN ARRAY(SELECT r.name FROM unnest($12, $13, $14) AS r(name, after, upto)
                                                        WHERE h.seq > r.after AND h.before_seq <= r.upto) END AS names OFFSET 0) AS x
            LEFT JOIN LATERAL (
                -- Columns may have been added or dropped in between, or converted by a type whose texts the other one reads.
                SELECT array_agg(n.key ORDER BY n.key) AS columns
                FROM (SELECT feed.image_after(%1$L, h.key, h.last_seq, h.last_op, h.last_old, h.last_new, h.last_delta) - coalesce(x.names, '{}') AS image
                      WHERE h.op IN ('update', 'leave', 'delete') AND NOT s.same OFFSET 0) AS last
                CROSS JOIN jsonb_each(CASE WHEN last.image IS NOT NULL THEN feed.normalize_image(%2$L, b.before - coalesce(x.names, '{}')) END) AS n
                JOIN jsonb_each(feed.normalize_image(%2$L, last.image)) AS o ON o.key = n.key
                WHERE b.before ? n.key AND last.image ? n.key AND n.value IS DISTINCT FROM o.value
            ) AS d ON true
            CROSS JOIN LATERAL (
                -- What a row of the log says twice.
                SELECT array_remove(ARRAY[
                    CASE WHEN (h.old IS NOT NULL, h.new IS NOT NULL) <> (h.op <> 'insert', h.op <> 'delete')
                              OR h.delta IS NOT NULL AND h.op NOT IN ('update', 'enter', 'leave') THEN 'op' END,
                    -- The two images of a repair were made at different times.
                    CASE WHEN h.origin IS DISTINCT FROM 'repair' AND ((h.delta IS DISTINCT FROM 0 OR h.op <> 'leave') AND h.old || h.new <> h.new
                                                                      OR (h.delta IS DISTINCT FROM 0 OR h.op = 'leave') AND h.new || h.old <> h.old)
                              OR p.incomplete AND p.follows THEN 'images' END,
                    CASE WHEN h.seq > coalesce($9, 0) AND (%6$s OR %7$s) THEN 'key' END,
                    CASE WHEN h.seq > coalesce(greatest($9, $16), 0) AND whole.image ? $10 AND whole.image ->> $10 IS DISTINCT FROM h.board THEN 'board' END,
                    CASE WHEN whole.image IS NOT NULL AND feed.version_number(coalesce(a.after, b.before)) IS DISTINCT FROM h.version THEN 'version' END], NULL) AS columns
                FROM (SELECT CASE WHEN h.op IN ('leave', 'delete') THEN b.before ELSE a.after END AS image) AS whole
            ) AS w
        )
        SELECT j.finding, j.key, j.seq, j.version, j.found, j.columns, NULL::text, NULL::bigint
        FROM judged AS j WHERE j.finding IS NOT NULL
        UNION ALL
        SELECT 'hole', c.key, c.seq, c.before_version, c.version, c.differing, NULL, NULL FROM checked AS c WHERE c.hole
        UNION ALL
        SELECT 'damaged', c.key, c.seq, c.version, NULL, c.wrong, NULL, NULL FROM checked AS c WHERE c.wrong <> '{}'
        UNION ALL
        SELECT NULL, NULL, NULL, NULL, NULL, NULL, $2, count(*) FROM history
    $query$, parts.relation, target, parts.row_by_key,
             format(other_key, format(key_of, parts.key, 'i.before', parts.key[1]), 'i.before'),
             format(other_key, format(key_of, parts.key, 'i.after', parts.key[1]), 'i.after'),
             format(other_key, format(key_of, parts.key, 'b.before', parts.key[1]), 'b.before'),
             format(other_key, format(key_of, parts.key, 'a.after', parts.key[1]), 'a.after'))
    USING after, last, emptied, parts.seq, coalesce(starts, '{}'), floor, parts.was_empty AND floor = 0,
          -- After a truncate, the first change of a row inserts it.
          ARRAY(SELECT l.op = 'truncate' FROM unnest(starts) WITH ORDINALITY AS s(seq, place) JOIN feed.log AS l ON l.seq = s.seq ORDER BY s.place),
          reloaded, parts.board, parts.key, redefined.names, redefined.after, redefined.upto, redefined.key_upto, redefined.board_upto;
END
$_$;

ALTER FUNCTION feed.verify_log(target regclass, after text, keys integer) OWNER TO feed_owner;

--
-- Name: FUNCTION verify_log(target regclass, after text, keys integer); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.verify_log(target regclass, after text, keys integer) IS 'Differences between the log and an attached table. gone: the table lacks the row; back: the row exists although it was logged as deleted; changed: columns differ; hole: something between this change and the one before it was not logged, or is not in the log any more; damaged: the row of the log contradicts itself in these columns. The last row reports how far the batch got.';

--
-- Name: verify_order(); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.verify_order() RETURNS TABLE(finding text, key text, seq bigint, columns text[])
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'feed', 'pg_temp'
    AS $_$
    SELECT 'damaged', concat_ws(' ', o.relation, o.key), o.seq, array_remove(ARRAY[
               CASE WHEN o.xid >= pg_snapshot_xmax(pg_current_snapshot()) OR o.xid < o.last_xid THEN 'xid' END,
               CASE WHEN o.seq = o.last_seq OR o.seq > coalesce(pg_sequence_last_value('feed.log_seq'), 9223372036854775807) THEN 'seq' END], NULL)
    FROM (SELECT l.relation, l.key, l.seq, l.xid, lag(l.xid) OVER (PARTITION BY l.pid ORDER BY l.seq) AS last_xid, lag(l.seq) OVER (ORDER BY l.seq) AS last_seq
          FROM feed.log AS l CROSS JOIN feed.identity AS i WHERE l.partition_number >= i.first_partition) AS o
    WHERE o.xid >= pg_snapshot_xmax(pg_current_snapshot()) OR o.xid < o.last_xid OR o.seq = o.last_seq OR o.seq > coalesce(pg_sequence_last_value('feed.log_seq'), 9223372036854775807)
    UNION ALL
    -- A partition that was not pruned, because the ones before it were not.
    SELECT 'hole', format('feed.log_%s', n.number), p.first_seq, NULL
    FROM (SELECT min(substring(l.partition::text FROM '(\d+)$')::bigint) AS first FROM feed.log_partitions() AS l) AS b
    CROSS JOIN LATERAL generate_series(b.first, feed.current_partition()) AS n(number)
    CROSS JOIN LATERAL (SELECT min(l.first_seq) AS first_seq, bool_and(l.first_seq > i.floor_seq) AS kept
                        FROM feed.log_partitions() AS l CROSS JOIN feed.identity AS i
                        WHERE substring(l.partition::text FROM '(\d+)$')::bigint < n.number) AS p
    WHERE p.kept AND NOT EXISTS (SELECT FROM pg_inherits AS h JOIN pg_class AS c ON c.oid = h.inhrelid
                                 WHERE h.inhparent = 'feed.log'::regclass AND c.relname = format('log_%s', n.number))
$_$;

ALTER FUNCTION feed.verify_order() OWNER TO feed_owner;

--
-- Name: FUNCTION verify_order(); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.verify_order() IS 'What is wrong with the log as a whole. damaged: a change whose transaction ID or sequence number cannot be its own; hole: a partition between others is missing.';

--
-- Name: verify_rows(regclass, xid8, text[], integer); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.verify_rows(target regclass, since xid8, after text[] DEFAULT NULL::text[], rows integer DEFAULT 1000) RETURNS TABLE(finding text, key text, seq bigint, logged integer, found integer, columns text[], upto text[], read bigint)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'feed', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    SET "DateStyle" TO 'ISO, YMD'
    SET "IntervalStyle" TO 'postgres'
    SET bytea_output TO 'hex'
    SET extra_float_digits TO '1'
    SET lc_monetary TO 'C'
    SET quote_all_identifiers TO 'off'
    SET row_security TO 'off'
    SET jit TO 'off'
    AS $_$
DECLARE
    parts record := feed.fed_columns(target);
    beyond text := 'true';
    floor bigint := (SELECT i.floor_seq FROM feed.identity AS i);
    complete boolean;
    starts_at_one boolean;
    is_newest text;
    newest bigint := pg_snapshot_xmax(pg_current_snapshot())::text::bigint;
BEGIN
    IF target IS NULL THEN
        RETURN;
    END IF;
    IF after IS NOT NULL THEN
        SELECT format('(%s) > (%s)', parts.key_columns, string_agg(quote_literal(v), ', ' ORDER BY place)) INTO beyond
        FROM unnest(after) WITH ORDINALITY AS a(v, place);
    END IF;
    complete := parts.was_empty AND floor = 0
                OR EXISTS (SELECT FROM feed.log AS l WHERE l.relation = parts.relation AND l.key IS NULL AND l.op = 'truncate' AND l.seq > parts.seq);
    -- A column that was dropped and added again has another default (see feed.mend_columns).
    starts_at_one := floor = 0 AND EXISTS (SELECT FROM feed.adopted AS a WHERE a.relation = target AND a.role = 'opportunities' AND 'version_number' = ANY (a.added))
                     AND NOT EXISTS (SELECT FROM feed.log AS l WHERE l.relation = parts.relation AND l.key IS NULL AND l.op = 'reload' AND l.origin = 'repair');
    is_newest := (SELECT format('t.%I > %L::%s', a.attname, t.newest_key, CASE a.atttypid WHEN 'uuid'::regtype THEN 'uuid' ELSE 'numeric' END)
                  FROM feed.attached AS t JOIN pg_attribute AS a ON a.attrelid = t.relation AND ARRAY[a.attname::text] = parts.key
                  WHERE t.relation = target AND CASE WHEN t.newest_key ~ '^-?[0-9]+$' THEN a.atttypid = ANY ('{int2,int4,int8}'::regtype[]) ELSE a.atttypid = 'uuid'::regtype END);
    RETURN QUERY EXECUTE format($query$
        WITH part AS MATERIALIZED (
            SELECT %1$s AS key, ARRAY[%2$s]::text[] AS place, t.xmin, feed.version_number(%7$s) AS version, %8$s AS is_newest,
                   row_number() OVER (ORDER BY %3$s) AS number
            FROM %4$s AS t WHERE %5$s ORDER BY %3$s LIMIT $1
        ), unknown AS (
            -- xmin has the last 32 bits of a transaction ID, also long after the row was frozen; 1 and 2 stand for rows that are older still.
            SELECT p.*, $4 OR p.is_newest OR $6 AND p.version > 1 AS missing, p.xmin::text::bigint > 2 AND (($5 - p.xmin::text::bigint) & 4294967295) < $5 - $2::text::bigint AS newer
            FROM part AS p
            WHERE NOT EXISTS (SELECT FROM feed.log AS l WHERE l.relation = %6$L AND l.key = p.key AND l.seq > $3 OFFSET 0)
        )
        SELECT CASE WHEN u.missing THEN 'unlogged' ELSE 'uncertain' END, u.key, NULL::bigint, NULL::integer, u.version, NULL::text[], NULL::text[], NULL::bigint
        FROM unknown AS u WHERE u.missing OR u.newer
        UNION ALL
        SELECT NULL, NULL, NULL, NULL, (SELECT count(*) FROM unknown AS u WHERE (u.missing OR u.newer) IS NOT TRUE)::integer, NULL,
               (SELECT p.place FROM part AS p WHERE p.number = $1), (SELECT count(*) FROM part)
    $query$, parts.row_key, parts.key_texts, parts.key_columns, target, beyond, parts.relation, parts.image, coalesce(is_newest, 'false'))
    USING rows, since, parts.seq, complete, newest, starts_at_one;
END
$_$;

ALTER FUNCTION feed.verify_rows(target regclass, since xid8, after text[], rows integer) OWNER TO feed_owner;

--
-- Name: FUNCTION verify_rows(target regclass, since xid8, after text[], rows integer); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.verify_rows(target regclass, since xid8, after text[], rows integer) IS 'Rows of an attached table that are not in the log. unlogged: the row must be there; uncertain: it was written by a transaction since the given one, but perhaps without a change. The last row reports how far the batch got.';

--
-- Name: verify_seals(bigint, integer); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.verify_seals(after bigint DEFAULT 0, seals integer DEFAULT 100) RETURNS TABLE(finding text, number bigint, first_seq bigint, last_seq bigint, sealed bigint, found bigint, columns text[], hash text, pruned bigint, upto bigint)
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'feed', 'pg_temp'
    AS $_$
#variable_conflict use_column
DECLARE
    everything CONSTANT bigint := 9223372036854775807;
    oldest bigint;
    each record;
    newest feed.seals;
    actual_changes bigint;
    actual_hash text;
    total bigint := 0;
    gone bigint := 0;
    checked bigint := 0;
    wrong text[];
BEGIN
    -- No partition is dropped meanwhile.
    LOCK TABLE ONLY feed.log IN ACCESS SHARE MODE;
    oldest := (SELECT min(substring(l.partition::text FROM '(\d+)$')::bigint) FROM feed.log_partitions() AS l);
    FOR each IN
        SELECT c.* FROM (
            SELECT s AS seal, s.number, lag(s.number) OVER w AS last_number, lag(s.hash) OVER w AS last_hash, lag(s.partition_number) OVER w AS last_partition,
                   lag(s.xid) OVER w AS last_xid, lag(s.part_seq) OVER w AS last_part, lead(s.partition_number) OVER w AS next_partition
            FROM feed.seals AS s WHERE s.number >= after WINDOW w AS (ORDER BY s.number) ORDER BY s.number LIMIT seals + 2) AS c
        WHERE c.number > after ORDER BY c.number LIMIT seals
    LOOP
        checked := checked + 1;
        newest := each.seal;
        wrong := '{}';
        actual_changes := NULL;
        IF each.number <> coalesce(each.last_number, 0) + 1 THEN
            -- Where its rows begin is not known.
            wrong := '{number}';
        ELSE
            IF newest.hash <> feed.seal_hash(newest, each.last_hash) THEN
                wrong := wrong || 'hash'::text;
            END IF;
            SELECT h.changes, h.hash INTO actual_changes, actual_hash
            FROM feed.hash_changes(newest.partition_number,
                CASE WHEN each.last_partition = newest.partition_number THEN each.last_xid ELSE '0' END,
                CASE WHEN each.last_partition = newest.partition_number THEN coalesce(each.last_part, everything) ELSE -everything END,
                CASE WHEN each.next_partition > newest.partition_number THEN '18446744073709551615' ELSE newest.xid END,
                CASE WHEN each.next_partition > newest.partition_number THEN everything ELSE coalesce(newest.part_seq, everything) END) AS h;
            total := total + actual_changes;
            IF actual_changes = 0 AND newest.partition_number < oldest THEN
                gone := gone + 1;
            ELSIF actual_changes <> newest.changes OR actual_hash <> newest.rows_hash THEN
                wrong := wrong || 'rows'::text;
            ELSIF EXISTS (SELECT FROM feed.log AS l
                          WHERE l.partition_number > each.last_partition AND l.partition_number < newest.partition_number) THEN
                wrong := wrong || 'rows'::text;
            END IF;
        END IF;
        IF wrong <> '{}' THEN
            RETURN QUERY SELECT 'broken', newest.number, newest.first_seq, newest.last_seq, newest.changes, actual_changes, wrong, NULL::text, NULL::bigint, NULL::bigint;
        END IF;
    END LOOP;
    RETURN QUERY SELECT NULL::text, newest.number, NULL::bigint, NULL::bigint, checked, total, NULL::text[], newest.hash, gone,
                        CASE WHEN checked = seals THEN newest.number END;
END
$_$;

ALTER FUNCTION feed.verify_seals(after bigint, seals integer) OWNER TO feed_owner;

--
-- Name: FUNCTION verify_seals(after bigint, seals integer); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.verify_seals(after bigint, seals integer) IS 'Seals that are broken: rows: the rows of the log are not those that were sealed; hash: the seal or the one before it was altered; number: seals before it were removed. The last row reports how far the batch got.';

--
-- Name: version_board(); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.version_board() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
    NEW.version_number := OLD.version_number;
    IF NEW IS DISTINCT FROM OLD THEN
        -- A program may have inserted the largest number, after which the row could never be changed.
        NEW.version_number := CASE WHEN OLD.version_number < 2147483647 THEN OLD.version_number + 1 ELSE 1 END;
    END IF;
    RETURN NEW;
END
$$;

ALTER FUNCTION feed.version_board() OWNER TO feed_owner;

--
-- Name: FUNCTION version_board(); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.version_board() IS 'Trigger of boards: increments version_number by one on each UPDATE that changes something.';

--
-- Name: version_number(jsonb); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.version_number(image jsonb) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN (((image -> 'version_number'::text) >= '0'::jsonb) AND ((image -> 'version_number'::text) <= '2147483647'::jsonb)) THEN ((image -> 'version_number'::text))::integer ELSE NULL::integer END;

ALTER FUNCTION feed.version_number(image jsonb) OWNER TO feed_owner;

--
-- Name: FUNCTION version_number(image jsonb); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.version_number(image jsonb) IS 'version_number of a row image; null if it has none, or one that is not a number from 0 to 2147483647.';

--
-- Name: version_opportunity(); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.version_opportunity() RETURNS trigger
    LANGUAGE plpgsql STABLE
    AS $_$
DECLARE
    generated jsonb;
    -- Whether other triggers run after this one, which may still change a row that is unchanged so far. Then it gets a version in any case.
    changed_later CONSTANT text := 'SELECT EXISTS (SELECT FROM pg_catalog.pg_trigger AS t WHERE t.tgrelid OPERATOR(pg_catalog.=) $1 '
        'AND t.tgname OPERATOR(pg_catalog.>) $2 AND t.tgtype OPERATOR(pg_catalog.&) 19 OPERATOR(pg_catalog.=) 19 AND t.tgenabled OPERATOR(pg_catalog.<>) ''D'')';
    may_change boolean;
    restarts text;
BEGIN
    BEGIN
        IF TG_ARGV[0] OPERATOR(pg_catalog.=) 'last_sync_at' THEN
            -- Almost no statement sets them, and to compare costs less than to assign.
            IF (NEW.version_number OPERATOR(pg_catalog.=) OLD.version_number
                AND NEW.last_sync_at OPERATOR(pg_catalog.=) OLD.last_sync_at) IS NOT TRUE THEN
                NEW.version_number := OLD.version_number;
                NEW.last_sync_at := OLD.last_sync_at;
            END IF;
            -- Compare byte by byte, because a type without an equality operator (json) would raise an error. An unchanged row is
            -- still returned, so that the row count and RETURNING are as expected; feed.capture finds no difference and logs nothing.
            IF NEW OPERATOR(pg_catalog.*=) OLD THEN
                EXECUTE changed_later INTO may_change USING TG_RELID, TG_NAME;
                IF NOT may_change THEN
                    RETURN NEW;
                END IF;
            END IF;
            NEW.version_number := coalesce(OLD.version_number, 0) OPERATOR(pg_catalog.+) 1;
            NEW.last_sync_at := pg_catalog.clock_timestamp();
            RETURN NEW;
        END IF;
        NEW.version_number := OLD.version_number;
        IF TG_ARGV[0] OPERATOR(pg_catalog.~~) 'last_sync_at%' THEN
            NEW.last_sync_at := OLD.last_sync_at;
        END IF;
        -- A generated column is computed after this trigger and is null in NEW.
        IF TG_ARGV[0] OPERATOR(pg_catalog.~~) '%generated' THEN
            SELECT pg_catalog.jsonb_object_agg(a.attname, NULL) INTO generated
            FROM pg_catalog.pg_attribute AS a
            WHERE a.attrelid OPERATOR(pg_catalog.=) TG_RELID AND a.attgenerated OPERATOR(pg_catalog.<>) '';
        END IF;
        IF NEW OPERATOR(pg_catalog.*=) OLD
           OR generated IS NOT NULL AND NEW OPERATOR(pg_catalog.*=) pg_catalog.jsonb_populate_record(OLD, generated) THEN
            EXECUTE changed_later INTO may_change USING TG_RELID, TG_NAME;
            IF NOT may_change THEN
                RETURN NEW;
            END IF;
        END IF;
        NEW.version_number := coalesce(OLD.version_number, 0) OPERATOR(pg_catalog.+) 1;
        IF TG_ARGV[0] OPERATOR(pg_catalog.~~) 'last_sync_at%' THEN
            NEW.last_sync_at := pg_catalog.clock_timestamp();
        END IF;
        RETURN NEW;
    EXCEPTION WHEN OTHERS THEN
        NULL;
    END;
    BEGIN
        NEW.version_number := coalesce(OLD.version_number, 0) OPERATOR(pg_catalog.+) 1;
    EXCEPTION WHEN numeric_value_out_of_range THEN
        -- The application inserted a row with the largest number. Clients drop what is older than they have, so feed.capture lets
        -- the row leave its board and enter it again.
        NEW.version_number := 1;
        restarts := pg_catalog.set_config('feed.version_restarts', 'on', true);
    WHEN OTHERS THEN
        NULL;
    END;
    BEGIN
        NEW.last_sync_at := pg_catalog.clock_timestamp();
    EXCEPTION WHEN OTHERS THEN
        NULL;
    END;
    RETURN NEW;
END
$_$;

ALTER FUNCTION feed.version_opportunity() OWNER TO feed_owner;

--
-- Name: FUNCTION version_opportunity(); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.version_opportunity() IS 'Trigger of opportunities: increments version_number by one and sets last_sync_at on each UPDATE that changes something.';

--
-- Name: versions_on(text); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.versions_on(board text) RETURNS TABLE(id text, version_number integer)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    source record := feed.opportunity_source();
BEGIN
    IF source.target IS NOT NULL THEN
        RETURN QUERY EXECUTE format('SELECT %s, %s FROM %s AS o WHERE %s', source.id_text, source.version_text, source.target, source.by_board)
        USING ARRAY[board];
    END IF;
END
$$;

ALTER FUNCTION feed.versions_on(board text) OWNER TO feed_owner;

--
-- Name: FUNCTION versions_on(board text); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.versions_on(board text) IS 'IDs and versions of the opportunities on a board.';

--
-- Name: alembic_version; Type: TABLE; Schema: feed; Owner: feed_owner
--

CREATE TABLE feed.alembic_version (
    version_num character varying(32) NOT NULL
);

ALTER TABLE feed.alembic_version OWNER TO feed_owner;

--
-- Name: TABLE alembic_version; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON TABLE feed.alembic_version IS 'The newest migration that was run.';

--
-- Name: COLUMN alembic_version.version_num; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.alembic_version.version_num IS 'Its number';

--
-- Name: attached_tables; Type: VIEW; Schema: feed; Owner: feed_owner
--

CREATE VIEW feed.attached_tables AS
 WITH capturing AS (
         SELECT DISTINCT ON (t.tgrelid) t.tgrelid,
            a.key,
            a.board,
            a.excluded
           FROM ((pg_trigger t
             JOIN pg_proc p_1 ON (((p_1.oid = t.tgfoid) AND (p_1.pronamespace = ('feed'::regnamespace)::oid) AND (p_1.proname = 'capture'::name))))
             CROSS JOIN LATERAL feed.trigger_arguments(t.tgargs) a(board, key, excluded))
          WHERE ((NOT t.tgisinternal) AND (t.tgparentid = (0)::oid))
        ), tables AS (
         SELECT a.relation,
            a.schema_name,
            a.table_name,
            n.key,
            n.board,
            n.excluded,
            a.partitions,
            true AS known
           FROM ((feed.attached a
             LEFT JOIN pg_class c ON ((c.oid = (a.relation)::oid)))
             CROSS JOIN LATERAL ( SELECT
                        CASE
                            WHEN (c.oid IS NULL) THEN a.key
                            ELSE feed.current_columns(a.relation, a.key)
                        END AS key,
                        CASE
                            WHEN (c.oid IS NULL) THEN a.board
                            ELSE (feed.current_columns(a.relation, ARRAY[a.board]))[1]
                        END AS board,
                        CASE
                            WHEN (c.oid IS NULL) THEN a.excluded
                            ELSE array_remove(feed.current_columns(a.relation, a.excluded), NULL::text)
                        END AS excluded) n)
        UNION ALL
         SELECT c.oid,
            n.nspname,
            c.relname,
            t.key,
            t.board,
            t.excluded,
            '{}'::regclass[],
            false
           FROM ((capturing t
             JOIN pg_class c ON ((c.oid = t.tgrelid)))
             JOIN pg_namespace n ON ((n.oid = c.relnamespace)))
          WHERE (NOT (EXISTS ( SELECT
                   FROM feed.attached a
                  WHERE (((a.relation)::oid = c.oid) OR ((a.schema_name = n.nspname) AND (a.table_name = c.relname))))))
        ), found AS (
         SELECT t.relation,
            t.schema_name,
            t.table_name,
            t.key,
            t.board,
            t.excluded,
            t.partitions,
            t.known,
            format('%I.%I'::text, t.schema_name, t.table_name) AS full_name,
            (c.oid IS NOT NULL) AS there,
            c.relkind,
            c.relpersistence,
            c.relispartition,
            (((n.nspname = t.schema_name) AND (c.relname = t.table_name)) OR ((t.relation)::oid = (( SELECT feed.opportunities_table() AS opportunities_table))::oid)) AS keeps_name,
            other.oid AS other,
            other.relkind AS other_kind
           FROM (((tables t
             LEFT JOIN pg_class c ON ((c.oid = (t.relation)::oid)))
             LEFT JOIN pg_namespace n ON ((n.oid = c.relnamespace)))
             LEFT JOIN (pg_class other
             JOIN pg_namespace m ON ((m.oid = other.relnamespace))) ON (((m.nspname = t.schema_name) AND (other.relname = t.table_name) AND (other.oid <> (t.relation)::oid) AND ((t.relation)::oid IS DISTINCT FROM (( SELECT feed.opportunities_table() AS opportunities_table))::oid))))
        ), problems AS (
         SELECT f_1.relation,
            p_1.state,
            p_1.problem,
            p_1.fix
           FROM (found f_1
             CROSS JOIN LATERAL ( SELECT 'replaced'::text AS state,
                    (format('%s is another table now'::text, f_1.full_name) ||
                        CASE
                            WHEN f_1.there THEN format('; the attached one is now %s'::text, f_1.relation)
                            ELSE ''::text
                        END) AS problem,
                        CASE
                            WHEN ((f_1.relation)::oid = (( SELECT a.relation
                               FROM feed.adopted a
                              WHERE (a.role = 'opportunities'::text)))::oid) THEN 'SELECT feed.mend();'::text
                            ELSE feed.attach_command(((f_1.other)::regclass)::text, f_1.key, f_1.board, f_1.excluded)
                        END AS fix
                  WHERE (f_1.other_kind = ANY (ARRAY['r'::"char", 'p'::"char"]))
                UNION ALL
                 SELECT 'dropped'::text,
                    format('%s was dropped'::text, f_1.full_name) AS format,
                    format('SELECT feed.detach(%L);'::text, (f_1.relation)::oid) AS format
                  WHERE ((NOT f_1.there) AND COALESCE((f_1.other_kind <> ALL (ARRAY['r'::"char", 'p'::"char"])), true))
                UNION ALL
                 SELECT 'renamed'::text,
                    format('%s is called %s now, and so are its changes'::text, f_1.full_name, f_1.relation) AS format,
                    feed.attach_command((f_1.relation)::text, f_1.key, f_1.board, f_1.excluded) AS attach_command
                  WHERE (f_1.there AND (NOT f_1.keeps_name) AND COALESCE((f_1.other_kind <> ALL (ARRAY['r'::"char", 'p'::"char"])), true))
                UNION ALL
                 SELECT 'unknown'::text,
                    format('%s has triggers of the feed, but feed.attached does not list it'::text, f_1.relation) AS format,
                    feed.attach_command((f_1.relation)::text, f_1.key, f_1.board, f_1.excluded) AS attach_command
                  WHERE (NOT f_1.known)
                UNION ALL
                 SELECT 'unlogged'::text,
                    format('%s is unlogged, so a crash would empty it without a change in the log'::text, f_1.relation) AS format,
                    format('ALTER TABLE %s SET LOGGED;'::text, f_1.relation) AS format
                  WHERE (f_1.relpersistence = 'u'::"char")
                UNION ALL
                 SELECT 'partition'::text,
                    format('%s is a partition of %s, and writes to that table do not fire its triggers'::text, f_1.relation, pg_partition_root(f_1.relation)) AS format,
                    format('SELECT feed.detach(%L); %s'::text, (f_1.relation)::text, feed.attach_command((pg_partition_root(f_1.relation))::text, f_1.key, f_1.board, f_1.excluded)) AS format
                  WHERE f_1.relispartition
                UNION ALL
                 SELECT 'inherited'::text,
                    format('%s inherits from %s, and writes to one do not fire the triggers of the other'::text, (i.inhrelid)::regclass, (i.inhparent)::regclass) AS format,
                    format('ALTER TABLE %s NO INHERIT %s;'::text, (i.inhrelid)::regclass, (i.inhparent)::regclass) AS format
                   FROM pg_inherits i
                  WHERE ((f_1.relkind = 'r'::"char") AND (NOT f_1.relispartition) AND (((f_1.relation)::oid = i.inhparent) OR ((f_1.relation)::oid = i.inhrelid)))
                UNION ALL
                 SELECT 'nullable'::text,
                    format('key column %I of %s can be null'::text, k.attname, f_1.relation) AS format,
                    format('ALTER TABLE %s ALTER COLUMN %I SET NOT NULL;'::text, f_1.relation, k.attname) AS format
                   FROM pg_attribute k
                  WHERE ((k.attrelid = (f_1.relation)::oid) AND (k.attname = ANY (f_1.key)) AND (NOT k.attnotnull) AND (NOT k.attisdropped))
                UNION ALL
                 SELECT 'partitions'::text,
                    concat_ws('; '::text, ((('partitions of '::text || f_1.relation) || ' were detached or dropped: '::text) || gone.names), ('tables were attached to it as partitions: '::text || come.names)) AS concat_ws,
                    feed.attach_command((f_1.relation)::text, f_1.key, f_1.board, f_1.excluded) AS attach_command
                   FROM ( SELECT string_agg((p_2.p)::text, ', '::text ORDER BY (p_2.p)::text) AS names
                           FROM unnest(f_1.partitions) p_2(p)
                          WHERE ((p_2.p)::oid <> ALL ((feed.all_partitions((f_1.relation)::oid))::oid[]))) gone,
                    ( SELECT string_agg((p_2.p)::text, ', '::text ORDER BY (p_2.p)::text) AS names
                           FROM unnest(feed.all_partitions((f_1.relation)::oid)) p_2(p)
                          WHERE ((p_2.p)::oid <> ALL (((f_1.partitions || feed.created_partitions((f_1.relation)::oid)))::oid[]))) come
                  WHERE (f_1.there AND f_1.known AND (num_nonnulls(gone.names, come.names) > 0))) p_1)
        )
 SELECT
        CASE
            WHEN f.there THEN f.relation
            ELSE NULL::regclass
        END AS relation,
        CASE
            WHEN f.there THEN (f.relation)::text
            ELSE f.full_name
        END AS name,
    COALESCE(p.state, 'on'::text) AS state,
    p.problem,
    f.key,
    f.board,
    f.excluded,
    p.fix
   FROM (found f
     LEFT JOIN problems p ON (((p.relation)::oid = (f.relation)::oid)));

ALTER VIEW feed.attached_tables OWNER TO feed_owner;

--
-- Name: VIEW attached_tables; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON VIEW feed.attached_tables IS 'The attached tables, with everything that has happened to each of them and that its triggers could not see. For the triggers themselves, see feed.triggers.';

--
-- Name: COLUMN attached_tables.relation; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.attached_tables.relation IS 'The table; null if it was dropped';

--
-- Name: COLUMN attached_tables.name; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.attached_tables.name IS 'Its name; the one it had if it was dropped';

--
-- Name: COLUMN attached_tables.state; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.attached_tables.state IS 'on; replaced: another table has its name; dropped; renamed; unknown: it has triggers, but was not attached by feed.attach; unlogged; partition: it became one; inherited: it has a parent or a child; nullable: its key can be null; partitions: some came with rows, or are gone';

--
-- Name: COLUMN attached_tables.problem; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.attached_tables.problem IS 'The same in words; null if it is on';

--
-- Name: COLUMN attached_tables.key; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.attached_tables.key IS 'Key columns, with their present names; null for one that was dropped';

--
-- Name: COLUMN attached_tables.board; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.attached_tables.board IS 'Column with the board whose clients receive the change; null: only LISTEN and the log get it';

--
-- Name: COLUMN attached_tables.excluded; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.attached_tables.excluded IS 'Columns that are not logged';

--
-- Name: COLUMN attached_tables.fix; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.attached_tables.fix IS 'Command that mends it; null if it is on';

--
-- Name: board_members; Type: TABLE; Schema: feed; Owner: feed_owner
--

CREATE TABLE feed.board_members (
    board_id text NOT NULL,
    user_id text NOT NULL,
    role text NOT NULL,
    CONSTRAINT board_members_role CHECK ((role = ANY (ARRAY['viewer'::text, 'editor'::text, 'admin'::text])))
);

ALTER TABLE feed.board_members OWNER TO feed_owner;

--
-- Name: TABLE board_members; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON TABLE feed.board_members IS 'Who may see which board. A change takes effect on open connections at its position in the log.';

--
-- Name: COLUMN board_members.board_id; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.board_members.board_id IS 'The board';

--
-- Name: COLUMN board_members.user_id; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.board_members.user_id IS 'The user: users.id as text, which is also the subject of their tokens';

--
-- Name: COLUMN board_members.role; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.board_members.role IS 'viewer, editor or admin';

--
-- Name: boards; Type: TABLE; Schema: feed; Owner: feed_owner
--

CREATE TABLE feed.boards (
    id text NOT NULL,
    name text NOT NULL,
    phases jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    currency text DEFAULT 'BRL'::text NOT NULL,
    archived_at timestamp with time zone,
    version_number integer DEFAULT 1 NOT NULL,
    close_reasons jsonb DEFAULT '[]'::jsonb NOT NULL,
    stale_days integer DEFAULT 14 NOT NULL,
    CONSTRAINT boards_id_has_1_to_200_characters CHECK (((char_length(id) >= 1) AND (char_length(id) <= 200))),
    CONSTRAINT boards_id_has_no_comma CHECK ((id !~~ '%,%'::text)),
    CONSTRAINT boards_id_is_not_a_dot_segment CHECK ((id <> ALL (ARRAY['.'::text, '..'::text]))),
    CONSTRAINT boards_stale_days CHECK (((stale_days >= 1) AND (stale_days <= 3650)))
);

ALTER TABLE feed.boards OWNER TO feed_owner;

--
-- Name: TABLE boards; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON TABLE feed.boards IS 'A sales pipeline.';

--
-- Name: COLUMN boards.id; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.boards.id IS 'The value that opportunities.board_id has';

--
-- Name: COLUMN boards.name; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.boards.name IS 'Name of the board';

--
-- Name: COLUMN boards.phases; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.boards.phases IS 'Stages of the board, in order: [{"id", "name", "kind" (open, won or lost), "color", "probability"}]; all but the first two may be missing';

--
-- Name: COLUMN boards.created_at; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.boards.created_at IS 'When it was created. A user''s boards are listed in this order.';

--
-- Name: COLUMN boards.currency; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.boards.currency IS 'Currency of new opportunities';

--
-- Name: COLUMN boards.archived_at; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.boards.archived_at IS 'When it was archived: its opportunities can be read, but the API changes none of them. Null: it is in use.';

--
-- Name: COLUMN boards.version_number; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.boards.version_number IS 'Counts its changes; set by a trigger';

--
-- Name: COLUMN boards.close_reasons; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.boards.close_reasons IS 'Usual reasons why a deal is lost, which users are offered: an array of texts';

--
-- Name: COLUMN boards.stale_days; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.boards.stale_days IS 'An open opportunity without a change for more days than this is shown as stale';

--
-- Name: instances; Type: TABLE; Schema: feed; Owner: feed_owner
--

CREATE UNLOGGED TABLE feed.instances (
    instance text NOT NULL,
    service text NOT NULL,
    started timestamp with time zone NOT NULL,
    reported_at timestamp with time zone NOT NULL,
    read_at timestamp with time zone,
    reads bigint NOT NULL,
    cursor text NOT NULL,
    anchor bigint NOT NULL,
    connections integer NOT NULL,
    listens boolean NOT NULL,
    ready boolean NOT NULL,
    tailer_pid integer,
    listener_pid integer,
    client_positions jsonb NOT NULL,
    replica text
);

ALTER TABLE feed.instances OWNER TO feed_owner;

--
-- Name: TABLE instances; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON TABLE feed.instances IS 'The running service instances. Each one renews its row every two seconds and removes it when it stops. See feed.instance_status.';

--
-- Name: COLUMN instances.instance; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instances.instance IS 'Name of the instance, as in /readyz';

--
-- Name: COLUMN instances.service; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instances.service IS 'feed or api. An api instance follows the log too, for /api/events and its cache.';

--
-- Name: COLUMN instances.started; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instances.started IS 'When it started to follow the log';

--
-- Name: COLUMN instances.reported_at; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instances.reported_at IS 'When it last reported. It counts as dead after ten seconds without a report; its row is removed after five minutes.';

--
-- Name: COLUMN instances.read_at; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instances.read_at IS 'When it last read the log to the end; null: not yet';

--
-- Name: COLUMN instances.reads; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instances.reads IS 'How many read passes it has made';

--
-- Name: COLUMN instances.cursor; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instances.cursor IS 'What it had delivered to its clients: everything that this cursor covers';

--
-- Name: COLUMN instances.anchor; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instances.anchor IS 'Newest row of the log that the cursor covers';

--
-- Name: COLUMN instances.connections; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instances.connections IS 'Open streams';

--
-- Name: COLUMN instances.listens; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instances.listens IS 'Whether its LISTEN connection has received its own test notification';

--
-- Name: COLUMN instances.ready; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instances.ready IS 'Whether load balancers should send clients to it';

--
-- Name: COLUMN instances.tailer_pid; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instances.tailer_pid IS 'Backend with which it reads the log; null: none at the moment';

--
-- Name: COLUMN instances.listener_pid; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instances.listener_pid IS 'Backend of its LISTEN connection; null: none at the moment';

--
-- Name: COLUMN instances.client_positions; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instances.client_positions IS 'Cursors that its clients have confirmed, with the number of clients and the seconds before reported_at. See feed.client_positions.';

--
-- Name: COLUMN instances.replica; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instances.replica IS 'used: it reads the log on its replica. Otherwise why it reads on the primary: lagging, away, promoted, foreign. Null: it has no replica or has not checked it yet.';

--
-- Name: client_positions; Type: VIEW; Schema: feed; Owner: feed_owner
--

CREATE VIEW feed.client_positions AS
 SELECT i.instance,
    a.cursor,
    c.anchor,
    a.clients,
    (i.reported_at - make_interval(secs => a.oldest)) AS oldest,
    (i.reported_at - make_interval(secs => a.newest)) AS newest
   FROM ((feed.instances i
     CROSS JOIN LATERAL jsonb_to_recordset(i.client_positions) a(cursor text, clients integer, oldest double precision, newest double precision))
     CROSS JOIN LATERAL feed.parse_cursor(a.cursor) c(feed_id, xmax, xip, anchor, tag));

ALTER VIEW feed.client_positions OWNER TO feed_owner;

--
-- Name: VIEW client_positions; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON VIEW feed.client_positions IS 'Newest cursors that the clients of each instance have confirmed. Clients that confirm none are not included: a WebSocket client that pings without a cursor, or an SSE client until it reconnects.';

--
-- Name: COLUMN client_positions.instance; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.client_positions.instance IS 'Name of the instance, as in /readyz';

--
-- Name: COLUMN client_positions.cursor; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.client_positions.cursor IS 'Its clients have received everything that this cursor covers; see feed.has_seen. If there are very many cursors, neighboring ones are combined into the older one.';

--
-- Name: COLUMN client_positions.anchor; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.client_positions.anchor IS 'Newest row of the log that the cursor covers';

--
-- Name: COLUMN client_positions.clients; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.client_positions.clients IS 'Number of clients at this position: open streams, and users who poll';

--
-- Name: COLUMN client_positions.oldest; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.client_positions.oldest IS 'When the first of them confirmed it';

--
-- Name: COLUMN client_positions.newest; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.client_positions.newest IS 'When the last of them confirmed it';

--
-- Name: delivery_journal; Type: TABLE; Schema: feed; Owner: feed_owner
--

CREATE UNLOGGED TABLE feed.delivery_journal (
    instance text NOT NULL,
    read_at timestamp with time zone NOT NULL,
    delivered_at timestamp with time zone NOT NULL,
    since text NOT NULL,
    cursor text NOT NULL,
    reads integer NOT NULL,
    events integer NOT NULL,
    deliveries bigint NOT NULL,
    clients integer NOT NULL,
    late integer NOT NULL,
    boards jsonb
);

ALTER TABLE feed.delivery_journal OWNER TO feed_owner;

--
-- Name: TABLE delivery_journal; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON TABLE feed.delivery_journal IS 'When each instance delivered what. One row for a read pass that found changes, or for several passes if there are many. Kept for an hour. See feed.explain.';

--
-- Name: COLUMN delivery_journal.instance; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.delivery_journal.instance IS 'Name of the instance, as in /readyz';

--
-- Name: COLUMN delivery_journal.read_at; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.delivery_journal.read_at IS 'When it had read the rows; for several passes, those of the first';

--
-- Name: COLUMN delivery_journal.delivered_at; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.delivery_journal.delivered_at IS 'When it had written to all live clients; for several passes, after the last';

--
-- Name: COLUMN delivery_journal.since; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.delivery_journal.since IS 'What had been delivered before: everything that this cursor covers';

--
-- Name: COLUMN delivery_journal.cursor; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.delivery_journal.cursor IS 'What had been delivered after: everything that this cursor covers';

--
-- Name: COLUMN delivery_journal.reads; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.delivery_journal.reads IS 'Number of read passes that this row summarizes';

--
-- Name: COLUMN delivery_journal.events; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.delivery_journal.events IS 'Number of changes that they found';

--
-- Name: COLUMN delivery_journal.deliveries; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.delivery_journal.deliveries IS 'Number of events written to live clients, counted for each client';

--
-- Name: COLUMN delivery_journal.clients; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.delivery_journal.clients IS 'Open streams at the end, including those that were catching up';

--
-- Name: COLUMN delivery_journal.late; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.delivery_journal.late IS 'Clients that had too much unread data to take more. They get these changes from the log once they have read it.';

--
-- Name: COLUMN delivery_journal.boards; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.delivery_journal.boards IS 'Number of live clients that received something, by board; null: too many boards';

--
-- Name: user_presence; Type: TABLE; Schema: feed; Owner: feed_owner
--

CREATE UNLOGGED TABLE feed.user_presence (
    id text DEFAULT (gen_random_uuid())::text NOT NULL,
    user_id text NOT NULL,
    user_name text NOT NULL,
    opportunity_id text,
    board_id text,
    action text NOT NULL,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    last_activity timestamp with time zone DEFAULT now() NOT NULL,
    connection text NOT NULL,
    instance text NOT NULL,
    base_version integer,
    CONSTRAINT user_presence_action CHECK ((action = ANY (ARRAY['editing'::text, 'viewing'::text]))),
    CONSTRAINT user_presence_edits CHECK (((action = 'viewing'::text) OR (opportunity_id IS NOT NULL))),
    CONSTRAINT user_presence_place CHECK ((num_nonnulls(opportunity_id, board_id) = 1))
);

ALTER TABLE feed.user_presence OWNER TO feed_owner;

--
-- Name: TABLE user_presence; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON TABLE feed.user_presence IS 'Who is viewing or editing which opportunity, or viewing which board without an open opportunity. Each row is a lease that the service holding the connection renews.';

--
-- Name: COLUMN user_presence.id; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.user_presence.id IS 'The connection and the place';

--
-- Name: COLUMN user_presence.user_id; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.user_presence.user_id IS 'The user';

--
-- Name: COLUMN user_presence.user_name; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.user_presence.user_name IS 'Name of the user';

--
-- Name: COLUMN user_presence.opportunity_id; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.user_presence.opportunity_id IS 'The opportunity that is open; null: none';

--
-- Name: COLUMN user_presence.board_id; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.user_presence.board_id IS 'The board, if no opportunity is open';

--
-- Name: COLUMN user_presence.action; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.user_presence.action IS 'editing or viewing';

--
-- Name: COLUMN user_presence.started_at; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.user_presence.started_at IS 'When the action began';

--
-- Name: COLUMN user_presence.last_activity; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.user_presence.last_activity IS 'When the lease was last renewed';

--
-- Name: COLUMN user_presence.connection; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.user_presence.connection IS 'The stream or, for leases taken by requests, the user''s browser tab';

--
-- Name: COLUMN user_presence.instance; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.user_presence.instance IS 'Instance that renews the lease, named as in /readyz; http: a lease taken by requests';

--
-- Name: COLUMN user_presence.base_version; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.user_presence.base_version IS 'Version that the user started to edit; null: not reported';

--
-- Name: editing; Type: VIEW; Schema: feed; Owner: feed_owner
--

CREATE VIEW feed.editing WITH (security_invoker='true') AS
 SELECT p.user_id,
    min(p.user_name) AS user_name,
    p.opportunity_id,
    o.board_id,
    min(p.started_at) AS since,
    min(p.base_version) AS base_version,
    o.version_number AS version,
    bool_or((p.base_version < o.version_number)) AS behind
   FROM (feed.user_presence p
     JOIN feed.opportunities_of(ARRAY( SELECT DISTINCT e.opportunity_id
           FROM feed.user_presence e
          WHERE (e.action = 'editing'::text))) o(id, board_id, version_number, place, body) ON ((o.id = p.opportunity_id)))
  WHERE (p.action = 'editing'::text)
  GROUP BY p.user_id, p.opportunity_id, o.board_id, o.version_number;

ALTER VIEW feed.editing OWNER TO feed_owner;

--
-- Name: VIEW editing; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON VIEW feed.editing IS 'Who is editing which opportunity, and whether saving would overwrite changes that they have not seen.';

--
-- Name: COLUMN editing.user_id; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.editing.user_id IS 'The user';

--
-- Name: COLUMN editing.user_name; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.editing.user_name IS 'Name of the user';

--
-- Name: COLUMN editing.opportunity_id; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.editing.opportunity_id IS 'The opportunity';

--
-- Name: COLUMN editing.board_id; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.editing.board_id IS 'Board of the opportunity';

--
-- Name: COLUMN editing.since; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.editing.since IS 'When the user started editing';

--
-- Name: COLUMN editing.base_version; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.editing.base_version IS 'Version that the user started from; null if the client does not report it';

--
-- Name: COLUMN editing.version; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.editing.version IS 'Current version';

--
-- Name: COLUMN editing.behind; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.editing.behind IS 'Whether the opportunity was changed since base_version. Saving then fails with status 412. Null if base_version is not known.';

--
-- Name: flags; Type: TABLE; Schema: feed; Owner: feed_owner
--

CREATE TABLE feed.flags (
    flag text NOT NULL,
    scope text NOT NULL,
    user_id text DEFAULT ''::text NOT NULL,
    percentage integer,
    value text NOT NULL,
    always_triggers jsonb,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    set_by text DEFAULT SESSION_USER NOT NULL,
    CONSTRAINT flags_flag CHECK ((flag = ANY (ARRAY['realtime'::text, 'notify'::text, 'capture'::text, 'seal'::text]))),
    CONSTRAINT flags_percentage CHECK (
CASE
    WHEN (scope = 'percentage'::text) THEN ((percentage IS NOT NULL) AND ((percentage >= 0) AND (percentage <= 100)))
    ELSE (percentage IS NULL)
END),
    CONSTRAINT flags_scope CHECK ((scope = ANY (ARRAY['everybody'::text, 'percentage'::text, 'user'::text]))),
    CONSTRAINT flags_user CHECK (((scope = 'user'::text) = (user_id <> ''::text))),
    CONSTRAINT flags_value CHECK (
CASE
    WHEN (flag = 'realtime'::text) THEN (value = ANY (ARRAY['websocket'::text, 'sse'::text, 'poll'::text, 'off'::text]))
    ELSE ((value =
    CASE flag
        WHEN 'seal'::text THEN 'on'::text
        ELSE 'off'::text
    END) AND (scope = 'everybody'::text))
END)
);

ALTER TABLE feed.flags OWNER TO feed_owner;

--
-- Name: TABLE flags; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON TABLE feed.flags IS 'Manual settings: which transport users are offered, the switches that turn NOTIFY and capture off, and the one that turns sealing of the log on. Without a row, everybody gets websocket, NOTIFY and capture are on, and the log is not sealed. The table is attached, so every change of it is logged and reaches every instance in order. Set notify, capture and seal only with feed.set_notify, feed.set_capture and feed.set_seal.';

--
-- Name: COLUMN flags.flag; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.flags.flag IS 'realtime: the best transport that users are offered; notify: writers do not send NOTIFY; capture: writes are not logged; seal: the log is sealed (feed.seals)';

--
-- Name: COLUMN flags.scope; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.flags.scope IS 'Scope: one user, a percentage of the users, or all. user takes precedence over percentage, and percentage over everybody.';

--
-- Name: COLUMN flags.user_id; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.flags.user_id IS 'The user, for scope user; otherwise empty';

--
-- Name: COLUMN flags.percentage; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.flags.percentage IS 'Rollout percentage, for scope percentage: it applies to users whose feed.rollout_bucket is below it';

--
-- Name: COLUMN flags.value; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.flags.value IS 'websocket, sse, poll or off for realtime; always off for notify and capture, and on for seal';

--
-- Name: COLUMN flags.always_triggers; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.flags.always_triggers IS 'For capture: for each table, the triggers that become ENABLE ALWAYS again when capture is turned on';

--
-- Name: COLUMN flags.at; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.flags.at IS 'When it was set';

--
-- Name: COLUMN flags.set_by; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.flags.set_by IS 'session_user who set it';

--
-- Name: gap_reports; Type: TABLE; Schema: feed; Owner: feed_owner
--

CREATE TABLE feed.gap_reports (
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    instance text NOT NULL,
    user_id text,
    connection text,
    board text NOT NULL,
    cursor text NOT NULL,
    expected_count bigint NOT NULL,
    expected_hash text NOT NULL,
    held_count bigint NOT NULL,
    held_hash text NOT NULL,
    cause text NOT NULL,
    cards text[] NOT NULL
);

ALTER TABLE feed.gap_reports OWNER TO feed_owner;

--
-- Name: TABLE gap_reports; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON TABLE feed.gap_reports IS 'Checkpoints that did not match, as shown by feed.gaps. Kept as long as the log.';

--
-- Name: COLUMN gap_reports.at; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.gap_reports.at IS 'When it was reported';

--
-- Name: COLUMN gap_reports.instance; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.gap_reports.instance IS 'Instance that received the report, named as in /readyz';

--
-- Name: COLUMN gap_reports.user_id; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.gap_reports.user_id IS 'User whose client reported it; null: a service found that the table differs from the log';

--
-- Name: COLUMN gap_reports.connection; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.gap_reports.connection IS 'Stream of the client, as named in its auth_success; null: not reported';

--
-- Name: COLUMN gap_reports.board; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.gap_reports.board IS 'Board of the opportunities';

--
-- Name: COLUMN gap_reports.cursor; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.gap_reports.cursor IS 'Position of the checkpoint';

--
-- Name: COLUMN gap_reports.expected_count; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.gap_reports.expected_count IS 'Number of rows according to the checkpoint; for a report of a service: in the table';

--
-- Name: COLUMN gap_reports.expected_hash; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.gap_reports.expected_hash IS 'Hash of the expected rows; see feed.row_hash';

--
-- Name: COLUMN gap_reports.held_count; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.gap_reports.held_count IS 'Number of rows that the client had; for a report of a service: according to the log';

--
-- Name: COLUMN gap_reports.held_hash; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.gap_reports.held_hash IS 'Hash of the rows that the client had or, if a service reported it, of the rows in the log';

--
-- Name: COLUMN gap_reports.cause; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.gap_reports.cause IS 'Suspected cause: unlogged, delivery, feed or cursor. feed.gaps explains them.';

--
-- Name: COLUMN gap_reports.cards; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.gap_reports.cards IS 'Opportunities of the board, at most ten, whose version differs from that of their newest row in the log';

--
-- Name: gaps; Type: VIEW; Schema: feed; Owner: feed_owner
--

CREATE VIEW feed.gaps AS
 SELECT at,
    board,
    user_id,
    cause,
        CASE cause
            WHEN 'unlogged'::text THEN 'The table and the log differ: a write bypassed the triggers, or a row of the log is missing'::text
            WHEN 'delivery'::text THEN 'The table and the log agree: the client lost a change, or applied it incorrectly'::text
            WHEN 'feed'::text THEN 'The client is right and the service miscounted: version_number did not increase by one'::text
            WHEN 'cursor'::text THEN 'The client''s cursor is no longer valid for this feed, so the cause cannot be determined'::text
            ELSE NULL::text
        END AS meaning,
    cards,
    expected_count,
    held_count,
    expected_hash,
    held_hash,
    cursor,
    instance,
    connection
   FROM feed.gap_reports g;

ALTER VIEW feed.gaps OWNER TO feed_owner;

--
-- Name: VIEW gaps; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON VIEW feed.gaps IS 'Boards that did not match a checkpoint. Reported by a client (which has reloaded the board since) or by a service that compared the table with the log. No rows means that everything matched.';

--
-- Name: COLUMN gaps.at; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.gaps.at IS 'When it was reported';

--
-- Name: COLUMN gaps.board; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.gaps.board IS 'Board of the opportunities';

--
-- Name: COLUMN gaps.user_id; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.gaps.user_id IS 'User whose client reported it; null: reported by a service';

--
-- Name: COLUMN gaps.cause; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.gaps.cause IS 'Suspected cause: unlogged, delivery, feed or cursor';

--
-- Name: COLUMN gaps.meaning; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.gaps.meaning IS 'Explanation of the cause';

--
-- Name: COLUMN gaps.cards; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.gaps.cards IS 'Opportunities of the board, at most ten, whose version differs from that of their newest row in the log';

--
-- Name: COLUMN gaps.expected_count; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.gaps.expected_count IS 'Number of rows according to the checkpoint; for a report of a service: in the table';

--
-- Name: COLUMN gaps.held_count; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.gaps.held_count IS 'Number of rows that the client had; for a report of a service: according to the log';

--
-- Name: COLUMN gaps.expected_hash; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.gaps.expected_hash IS 'Hash of the expected rows; see feed.row_hash';

--
-- Name: COLUMN gaps.held_hash; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.gaps.held_hash IS 'Hash of the rows that the client had or, if a service reported it, of the rows in the log';

--
-- Name: COLUMN gaps.cursor; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.gaps.cursor IS 'Position of the checkpoint: feed.checkpoint(board, cursor) returns what it should have been';

--
-- Name: COLUMN gaps.instance; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.gaps.instance IS 'Instance that received the report, named as in /readyz';

--
-- Name: COLUMN gaps.connection; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.gaps.connection IS 'Stream of the client, if it was reported';

--
-- Name: identity; Type: TABLE; Schema: feed; Owner: feed_owner
--

CREATE TABLE feed.identity (
    one boolean DEFAULT true NOT NULL,
    feed_id text NOT NULL,
    system_identifier text NOT NULL,
    timeline text NOT NULL,
    renewed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    reason text NOT NULL,
    floor_seq bigint DEFAULT 0 NOT NULL,
    floor_xid xid8 DEFAULT '0'::xid8 NOT NULL,
    first_partition bigint DEFAULT 1 NOT NULL,
    first_xid xid8 DEFAULT '0'::xid8 NOT NULL,
    CONSTRAINT identity_one CHECK (one)
);

ALTER TABLE feed.identity OWNER TO feed_owner;

--
-- Name: TABLE identity; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON TABLE feed.identity IS 'What the cursors of this feed are checked against. One row.';

--
-- Name: COLUMN identity.one; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.identity.one IS 'Always true: the table has one row';

--
-- Name: COLUMN identity.feed_id; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.identity.feed_id IS 'First part of every cursor';

--
-- Name: COLUMN identity.system_identifier; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.identity.system_identifier IS 'System identifier of the cluster on which the ID was made';

--
-- Name: COLUMN identity.timeline; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.identity.timeline IS 'Timeline on which the ID was made: the first 8 characters of the names of its WAL files';

--
-- Name: COLUMN identity.renewed_at; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.identity.renewed_at IS 'When the ID was made';

--
-- Name: COLUMN identity.reason; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.identity.reason IS 'Why the ID was made: install, another cluster, promotion, capture was off, or the reason given to boardcast reset-feed';

--
-- Name: COLUMN identity.floor_seq; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.identity.floor_seq IS 'The log has been pruned up to this sequence number';

--
-- Name: COLUMN identity.floor_xid; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.identity.floor_xid IS 'Largest transaction ID among the pruned rows';

--
-- Name: COLUMN identity.first_partition; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.identity.first_partition IS 'Partitions before this one were written in another cluster, so their transaction IDs mean nothing here';

--
-- Name: COLUMN identity.first_xid; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.identity.first_xid IS 'Where the transaction IDs of this cluster stood when first_partition was started';

--
-- Name: triggers; Type: VIEW; Schema: feed; Owner: feed_owner
--

CREATE VIEW feed.triggers AS
 WITH ours AS (
         SELECT t_1.tgrelid,
            (t_1.tgname)::text AS name,
            t_1.tgenabled,
            t_1.tgargs,
            p.oid AS function,
            (p.proname)::text AS does,
            concat_ws(' '::text, t_1.tgtype, t_1.tgoldtable, t_1.tgnewtable,
                CASE
                    WHEN (t_1.tgqual IS NOT NULL) THEN 'WHEN'::text
                    ELSE NULL::text
                END,
                CASE
                    WHEN (((t_1.tgattr)::text <> ''::text) AND (p.proname = 'capture'::name)) THEN 'OF'::text
                    ELSE NULL::text
                END) AS shape
           FROM (pg_trigger t_1
             JOIN pg_proc p ON ((p.oid = t_1.tgfoid)))
          WHERE ((p.pronamespace = ('feed'::regnamespace)::oid) AND (NOT t_1.tgisinternal) AND (t_1.tgparentid = (0)::oid))
        ), attached AS (
         SELECT ours.tgrelid
           FROM ours
          WHERE (ours.does = 'capture'::text)
        UNION
         SELECT c.oid
           FROM pg_class c
          WHERE (c.oid IN ( SELECT a.relation
                   FROM feed.attached a
                UNION ALL
                 VALUES (feed.opportunities_table()), (to_regclass('feed.boards'::text)), (to_regclass('feed.board_members'::text)), (to_regclass('feed.flags'::text)), (to_regclass('feed.opportunity_details'::text))))
        ), wanted AS (
         SELECT f.tgrelid,
            w.name,
            w.does,
            w.shape
           FROM (attached f
             CROSS JOIN ( VALUES ('feed_capture_insert'::text,'capture'::text,'4 new_rows'::text), ('feed_capture_update'::text,'capture'::text,'16 old_rows new_rows'::text), ('feed_capture_delete'::text,'capture'::text,'8 old_rows'::text), ('feed_capture_truncate'::text,'capture'::text,'32'::text), ('feed_begin'::text,'begin_statement'::text,'30'::text)) w(name, does, shape))
        UNION ALL
         SELECT f.tgrelid,
            'zz_feed_version'::text,
            'version_opportunity'::text,
            '19'::text
           FROM attached f
          WHERE (f.tgrelid = (( SELECT feed.opportunities_table() AS opportunities_table))::oid)
        UNION ALL
         SELECT c.oid,
            w.name,
            'forget_users'::text,
            w.shape
           FROM (pg_class c
             CROSS JOIN ( VALUES ('feed_forget_users'::text,'8 old_rows'::text), ('feed_forget_all_users'::text,'32'::text)) w(name, shape))
          WHERE ((c.oid = (( SELECT a.relation
                   FROM feed.adopted a
                  WHERE (a.role = 'users'::text)))::oid) AND (c.relkind = ANY (ARRAY['r'::"char", 'p'::"char"])) AND ((feed.user_columns()).key_column IS NOT NULL))
        ), listed AS (
         SELECT (COALESCE(o.tgrelid, w.tgrelid))::regclass AS relation,
            COALESCE(o.name, w.name) AS trigger,
                CASE
                    WHEN ((o.does = 'capture'::text) AND (array_position(c.names, NULL::text) IS NOT NULL)) THEN 'stale'::text
                    WHEN ((o.shape <> w.shape) OR (o.does <> w.does) OR ((o.does = 'capture'::text) AND ((a.key <> k.key) OR (COALESCE(a.board, ''::text) <> COALESCE(k.board, ''::text)) OR (a.excluded <> k.excluded)))) THEN 'altered'::text
                    WHEN ((o.does = 'capture'::text) AND (c.names <> c.given)) THEN 'renamed'::text
                    ELSE
                    CASE o.tgenabled
                        WHEN 'O'::"char" THEN 'on'::text
                        WHEN 'A'::"char" THEN 'always'::text
                        WHEN 'D'::"char" THEN 'disabled'::text
                        WHEN 'R'::"char" THEN 'replica'::text
                        ELSE 'missing'::text
                    END
                END AS state,
            COALESCE(w.does, o.does) AS function,
                CASE o.does
                    WHEN 'capture'::text THEN feed.current_columns((o.tgrelid)::regclass, a.key)
                    ELSE NULL::text[]
                END AS key,
                CASE o.does
                    WHEN 'capture'::text THEN (feed.current_columns((o.tgrelid)::regclass, ARRAY[a.board]))[1]
                    ELSE NULL::text
                END AS board,
                CASE o.does
                    WHEN 'capture'::text THEN array_remove(feed.current_columns((o.tgrelid)::regclass, a.excluded), NULL::text)
                    ELSE NULL::text[]
                END AS excluded,
            s.calls,
            round((((s.total_time / (NULLIF(s.calls, 0))::double precision) * (1000)::double precision))::numeric, 1) AS us_per_call
           FROM (((((ours o
             FULL JOIN wanted w ON (((w.tgrelid = o.tgrelid) AND (w.name = o.name))))
             LEFT JOIN feed.attached k ON (((k.relation)::oid = COALESCE(o.tgrelid, w.tgrelid))))
             CROSS JOIN LATERAL feed.trigger_arguments(o.tgargs) a(board, key, excluded))
             CROSS JOIN LATERAL ( SELECT feed.current_columns((o.tgrelid)::regclass, n.given) AS names,
                    n.given
                   FROM ( SELECT (array_remove((a.board || a.key), NULL::text) || ARRAY( SELECT x.x
                                   FROM unnest(a.excluded) x(x)
                                  WHERE ((feed.current_columns((o.tgrelid)::regclass, ARRAY[x.x]))[1] IS NOT NULL))) AS given) n) c)
             LEFT JOIN pg_stat_user_functions s ON ((s.funcid = o.function)))
        )
 SELECT relation,
    trigger,
    state,
    function,
    key,
    board,
    excluded,
    calls,
    us_per_call,
        CASE
            WHEN (state = ANY (ARRAY['disabled'::text, 'replica'::text])) THEN format('ALTER TABLE %s ENABLE TRIGGER %I;'::text, relation, trigger)
            WHEN ((state = 'stale'::text) AND ((relation)::oid <> (COALESCE(feed.opportunities_table(), (0)::regclass))::oid)) THEN format('SELECT feed.attach(%L, ...); -- with another key or board column'::text, relation)
            WHEN (state = ANY (ARRAY['missing'::text, 'renamed'::text, 'stale'::text, 'altered'::text])) THEN 'SELECT feed.mend();'::text
            ELSE NULL::text
        END AS fix
   FROM listed t;

ALTER VIEW feed.triggers OWNER TO feed_owner;

--
-- Name: VIEW triggers; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON VIEW feed.triggers IS 'The triggers of the feed on each attached table, including missing ones, and what they cost.';

--
-- Name: COLUMN triggers.relation; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.triggers.relation IS 'The table';

--
-- Name: COLUMN triggers.trigger; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.triggers.trigger IS 'Name of the trigger';

--
-- Name: COLUMN triggers.state; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.triggers.state IS 'on: fires except under session_replication_role = replica; always: fires there too; renamed: a column named in feed.attach was renamed, and writes are logged correctly, if slowly; disabled, replica, missing: writes are not logged; stale: the key or board column was dropped, so writes are logged as a reload or without a board; altered: it fires for other writes, or calls feed.capture with other columns, than feed.attach specified';

--
-- Name: COLUMN triggers.function; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.triggers.function IS 'Trigger function, in schema feed';

--
-- Name: COLUMN triggers.key; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.triggers.key IS 'Key columns, with their present names; null for one that was dropped';

--
-- Name: COLUMN triggers.board; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.triggers.board IS 'Column with the board whose clients receive the change; null: only LISTEN and the log get it';

--
-- Name: COLUMN triggers.excluded; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.triggers.excluded IS 'Columns that are not logged';

--
-- Name: COLUMN triggers.calls; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.triggers.calls IS 'How often the function was called, for all tables together; null unless track_functions is pl or all';

--
-- Name: COLUMN triggers.us_per_call; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.triggers.us_per_call IS 'Average duration of a call in microseconds, including called functions and the insert into the log';

--
-- Name: COLUMN triggers.fix; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.triggers.fix IS 'Command that restores the trigger; null if it is on or always';

--
-- Name: indexes; Type: VIEW; Schema: feed; Owner: feed_owner
--

CREATE VIEW feed.indexes AS
 WITH wanted AS (
         SELECT to_regclass(w.relation) AS relation,
            w.name,
            w.fix
           FROM ( VALUES ('feed.log'::text,'log_pkey'::text,'ALTER TABLE feed.log ADD CONSTRAINT log_pkey PRIMARY KEY (seq, partition_number);'::text), ('feed.log'::text,'log_xid'::text,'CREATE INDEX log_xid ON feed.log (xid, partition_number);'::text), ('feed.log'::text,'log_key'::text,'CREATE INDEX log_key ON feed.log (relation, key, seq);'::text), ('feed.delivery_journal'::text,'delivery_journal_delivered'::text,'CREATE INDEX delivery_journal_delivered ON feed.delivery_journal (delivered_at);'::text), (( SELECT (feed.opportunities_table())::text AS opportunities_table
                           FROM feed.field_columns() f(field, name)
                          WHERE ((f.field = 'board_id'::text) AND (f.name IS NOT NULL))),'feed_opportunities_board_id'::text,( SELECT string_agg(c.c, ' '::text) AS string_agg
                           FROM feed.board_index() c(c))), ('feed.board_members'::text,'board_members_user_id'::text,'CREATE INDEX board_members_user_id ON feed.board_members (user_id);'::text)) w(relation, name, fix)
        ), attached AS MATERIALIZED (
         SELECT DISTINCT t.relation,
            t.key,
            t.state
           FROM feed.triggers t
          WHERE (t.function = 'capture'::text)
        ), there AS (
         SELECT i.indrelid,
            c.oid,
            (c.relname)::text AS name,
            c.relkind,
            i.indisvalid,
            i.indisprimary,
            (i.indisunique AND i.indisvalid AND i.indimmediate AND (i.indpred IS NULL) AND (i.indexprs IS NULL)) AS is_key,
            ARRAY( SELECT (a.attname)::text AS attname
                   FROM (unnest(i.indkey) WITH ORDINALITY k(attnum, place)
                     JOIN pg_attribute a ON (((a.attrelid = i.indrelid) AND (a.attnum = k.attnum))))
                  WHERE (k.place <= i.indnkeyatts)
                  ORDER BY ((a.attname)::text)) AS columns
           FROM ((pg_index i
             JOIN pg_class c ON ((c.oid = i.indexrelid)))
             JOIN pg_class r ON ((r.oid = i.indrelid)))
          WHERE ((r.relnamespace = ('feed'::regnamespace)::oid) OR (r.oid IN ( SELECT w.relation
                   FROM wanted w)) OR (r.oid IN ( SELECT a.relation
                   FROM attached a)))
        ), keys AS (
         SELECT DISTINCT a.relation,
            a.key
           FROM attached a
          WHERE (a.state <> ALL (ARRAY['missing'::text, 'stale'::text]))
        )
 SELECT w.relation,
    w.name AS index,
        CASE
            WHEN (t.oid IS NULL) THEN 'missing'::text
            WHEN t.indisvalid THEN 'on'::text
            ELSE 'invalid'::text
        END AS state,
        CASE
            WHEN (t.oid IS NULL) THEN w.fix
            WHEN ((NOT t.indisvalid) AND (t.relkind = 'i'::"char")) THEN format('REINDEX INDEX CONCURRENTLY %s;'::text, (t.oid)::regclass)
            WHEN (NOT t.indisvalid) THEN format('DROP INDEX %s; %s'::text, (t.oid)::regclass, w.fix)
            ELSE NULL::text
        END AS fix
   FROM (wanted w
     LEFT JOIN there t ON (((t.indrelid = (w.relation)::oid) AND (t.name = w.name))))
  WHERE (w.relation IS NOT NULL)
UNION ALL
 SELECT (t.indrelid)::regclass AS relation,
    t.name AS index,
        CASE
            WHEN t.indisvalid THEN 'on'::text
            ELSE 'invalid'::text
        END AS state,
        CASE
            WHEN (NOT t.indisvalid) THEN format('REINDEX INDEX CONCURRENTLY %s;'::text, (t.oid)::regclass)
            ELSE NULL::text
        END AS fix
   FROM there t
  WHERE (NOT (EXISTS ( SELECT
           FROM wanted w
          WHERE (((w.relation)::oid = t.indrelid) AND (w.name = t.name)))))
UNION ALL
 SELECT k.relation,
    NULL::text AS index,
    'missing'::text AS state,
    format('ALTER TABLE %s ADD %s (%s);'::text, k.relation,
        CASE
            WHEN (EXISTS ( SELECT
               FROM there t
              WHERE ((t.indrelid = (k.relation)::oid) AND t.indisprimary))) THEN 'UNIQUE'::text
            ELSE 'PRIMARY KEY'::text
        END, ( SELECT string_agg(quote_ident(c.name), ', '::text ORDER BY c.place) AS string_agg
           FROM unnest(k.key) WITH ORDINALITY c(name, place))) AS fix
   FROM keys k
  WHERE (NOT (EXISTS ( SELECT
           FROM there t
          WHERE ((t.indrelid = (k.relation)::oid) AND t.is_key AND (t.columns = ARRAY( SELECT DISTINCT c.c
                   FROM unnest(k.key) c(c)
                  ORDER BY c.c))))));

ALTER VIEW feed.indexes OWNER TO feed_owner;

--
-- Name: VIEW indexes; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON VIEW feed.indexes IS 'The indexes of the log and of the attached tables, including missing ones.';

--
-- Name: COLUMN indexes.relation; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.indexes.relation IS 'The table';

--
-- Name: COLUMN indexes.index; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.indexes.index IS 'Name of the index; null: any index that makes the key of the table unique';

--
-- Name: COLUMN indexes.state; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.indexes.state IS 'on; missing; invalid: its creation failed, so queries do not use it';

--
-- Name: COLUMN indexes.fix; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.indexes.fix IS 'Command that repairs it; null if it is on';

--
-- Name: pacer; Type: TABLE; Schema: feed; Owner: feed_owner
--

CREATE TABLE feed.pacer (
    one boolean DEFAULT true NOT NULL,
    instance text DEFAULT ''::text NOT NULL,
    pid integer,
    until timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    mode text DEFAULT 'direct'::text NOT NULL,
    notifications bigint DEFAULT 0 NOT NULL,
    since timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    muted boolean DEFAULT false NOT NULL,
    CONSTRAINT pacer_one CHECK (one)
);

ALTER TABLE feed.pacer OWNER TO feed_owner;

--
-- Name: TABLE pacer; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON TABLE feed.pacer IS 'The instance that sends NOTIFY in place of the writers while there are many of them. One row, which is a lease.';

--
-- Name: COLUMN pacer.one; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.pacer.one IS 'Always true: the table has one row';

--
-- Name: COLUMN pacer.instance; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.pacer.instance IS 'Instance that holds the lease, named as in /readyz; empty after it was given back';

--
-- Name: COLUMN pacer.pid; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.pacer.pid IS 'Backend process of the holder''s connection';

--
-- Name: COLUMN pacer.until; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.pacer.until IS 'When the lease expires. After that there is no pacer, and every write sends NOTIFY.';

--
-- Name: COLUMN pacer.mode; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.pacer.mode IS 'direct: writers send NOTIFY; coalesced: the pacer sends it; draining: writers send it, and the pacer waits for the transactions that skipped it; muted: it is not sent';

--
-- Name: COLUMN pacer.notifications; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.pacer.notifications IS 'How many NOTIFYs pacers have sent since the installation';

--
-- Name: COLUMN pacer.since; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.pacer.since IS 'When this mode or this lease began';

--
-- Name: COLUMN pacer.muted; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.pacer.muted IS 'NOTIFY is switched off (feed.set_notify). Stored in this row because feed.notify_suppressed_until is only set under its lock.';

--
-- Name: instance_status; Type: VIEW; Schema: feed; Owner: feed_owner
--

CREATE VIEW feed.instance_status AS
 SELECT i.instance,
    i.service,
    (i.reported_at > (clock_timestamp() - '00:00:10'::interval)) AS alive,
    i.ready,
    i.listens,
    i.connections,
    (p.instance IS NOT NULL) AS pacer,
    i.cursor,
    i.anchor,
    anchor.at AS anchor_at,
    i.reads,
    (i.reported_at - i.read_at) AS since_read,
    (clock_timestamp() - i.reported_at) AS since_report,
    i.started,
    i.tailer_pid,
    concat_ws(' '::text, tailer.state, tailer.wait_event) AS tailer,
    i.listener_pid,
    concat_ws(' '::text, listener.state, listener.wait_event) AS listener,
    i.replica
   FROM ((((feed.instances i
     LEFT JOIN feed.pacer p ON (((p.instance = i.instance) AND (p.until > clock_timestamp()))))
     LEFT JOIN feed.log anchor ON ((anchor.seq = i.anchor)))
     LEFT JOIN pg_stat_activity tailer ON (((tailer.pid = i.tailer_pid) AND (tailer.datname = current_database()))))
     LEFT JOIN pg_stat_activity listener ON (((listener.pid = i.listener_pid) AND (listener.datname = current_database()))));

ALTER VIEW feed.instance_status OWNER TO feed_owner;

--
-- Name: VIEW instance_status; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON VIEW feed.instance_status IS 'The service instances that follow the log: how far each has read, and which backends it uses.';

--
-- Name: COLUMN instance_status.instance; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instance_status.instance IS 'Name of the instance, as in /readyz';

--
-- Name: COLUMN instance_status.service; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instance_status.service IS 'feed or api. An api instance follows the log too, for /api/events and its cache.';

--
-- Name: COLUMN instance_status.alive; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instance_status.alive IS 'Whether it reported within the last ten seconds. If not, it was killed, is stopped, or cannot reach the database. After five minutes its row is removed.';

--
-- Name: COLUMN instance_status.ready; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instance_status.ready IS 'Whether load balancers should send clients to it';

--
-- Name: COLUMN instance_status.listens; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instance_status.listens IS 'Whether its LISTEN connection has received its own test notification';

--
-- Name: COLUMN instance_status.connections; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instance_status.connections IS 'Open streams';

--
-- Name: COLUMN instance_status.pacer; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instance_status.pacer IS 'Whether it holds the pacer''s lease and sends NOTIFY in place of the writers under load; see feed.pacer';

--
-- Name: COLUMN instance_status.cursor; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instance_status.cursor IS 'What it had delivered to its clients; see feed.parse_cursor and feed.has_seen';

--
-- Name: COLUMN instance_status.anchor; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instance_status.anchor IS 'Newest row of the log that the cursor covers';

--
-- Name: COLUMN instance_status.anchor_at; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instance_status.anchor_at IS 'When that row was written. It does not advance while nobody writes; see feed.lag for whether the instance is behind.';

--
-- Name: COLUMN instance_status.reads; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instance_status.reads IS 'How many read passes it has made';

--
-- Name: COLUMN instance_status.since_read; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instance_status.since_read IS 'Time between its last read pass and its last report; normally about a second at most (BOARDCAST_READ_INTERVAL)';

--
-- Name: COLUMN instance_status.since_report; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instance_status.since_report IS 'Time since its last report; normally about two seconds at most';

--
-- Name: COLUMN instance_status.started; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instance_status.started IS 'When it started to follow the log';

--
-- Name: COLUMN instance_status.tailer_pid; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instance_status.tailer_pid IS 'Backend with which it reads the log';

--
-- Name: COLUMN instance_status.tailer; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instance_status.tailer IS 'State of that backend, from pg_stat_activity. Empty: it is gone, or you may not see it (pg_read_all_stats).';

--
-- Name: COLUMN instance_status.listener_pid; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instance_status.listener_pid IS 'Backend of its LISTEN connection';

--
-- Name: COLUMN instance_status.listener; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instance_status.listener IS 'State of that backend. If it stays at active ClientWrite, the instance does not read its notifications, and the NOTIFY queue fills up.';

--
-- Name: COLUMN instance_status.replica; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instance_status.replica IS 'used: it reads the log on its replica. Otherwise why it reads on the primary: lagging, away, promoted, foreign. Null: it has no replica.';

--
-- Name: lag; Type: VIEW; Schema: feed; Owner: feed_owner
--

CREATE VIEW feed.lag AS
 SELECT i.instance,
    i.service,
    m.alive,
    i.anchor,
    ( SELECT max(l.seq) AS max
           FROM feed.log l) AS newest,
    pending.changes AS behind,
    COALESCE((m.moment - pending.oldest), '00:00:00'::interval) AS delay
   FROM ((((feed.instances i
     CROSS JOIN LATERAL ( SELECT (i.reported_at > (clock_timestamp() - '00:00:10'::interval)) AS alive) a)
     CROSS JOIN LATERAL ( SELECT a.alive,
                CASE
                    WHEN a.alive THEN i.reported_at
                    ELSE clock_timestamp()
                END AS moment) m)
     CROSS JOIN LATERAL feed.parse_cursor(i.cursor) c(feed_id, xmax, xip, anchor, tag))
     CROSS JOIN LATERAL ( SELECT count(*) AS changes,
            min(u.at) AS oldest
           FROM ( SELECT n.at
                   FROM feed.changes_since(c.xmax, c.xip) n(seq, xid, at, partition_number, relation, op, key, board, old, new, delta, image_hash, version, parents, actor, origin, traceparent, db_user, application, client_addr, pid, notified, image_bytes)
                  WHERE (n.at < m.moment)
                 LIMIT 10001) u) pending);

ALTER VIEW feed.lag OWNER TO feed_owner;

--
-- Name: VIEW lag; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON VIEW feed.lag IS 'How far behind the log each instance was at its last report. An instance that no longer reports: how far it is behind now.';

--
-- Name: COLUMN lag.instance; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.lag.instance IS 'Name of the instance, as in /readyz';

--
-- Name: COLUMN lag.service; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.lag.service IS 'feed or api';

--
-- Name: COLUMN lag.alive; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.lag.alive IS 'Whether it reported within the last ten seconds';

--
-- Name: COLUMN lag.anchor; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.lag.anchor IS 'Newest row of the log that it had delivered';

--
-- Name: COLUMN lag.newest; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.lag.newest IS 'Newest row of the log now';

--
-- Name: COLUMN lag.behind; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.lag.behind IS 'Changes in the log that it had not delivered; 10001 means more than 10000';

--
-- Name: COLUMN lag.delay; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.lag.delay IS 'How long the oldest of them had been waiting since it was written. This includes the time that its transaction took to commit.';

--
-- Name: maintenance; Type: TABLE; Schema: feed; Owner: feed_owner
--

CREATE TABLE feed.maintenance (
    one boolean DEFAULT true NOT NULL,
    retention interval DEFAULT '90 days'::interval NOT NULL,
    rotated_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT maintenance_one CHECK (one)
);

ALTER TABLE feed.maintenance OWNER TO feed_owner;

--
-- Name: TABLE maintenance; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON TABLE feed.maintenance IS 'Retention of the log. One row; feed.maintain() locks it, so that only one session maintains the log at a time.';

--
-- Name: COLUMN maintenance.one; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.maintenance.one IS 'Always true: the table has one row';

--
-- Name: COLUMN maintenance.retention; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.maintenance.retention IS 'Partitions of feed.log older than this are dropped';

--
-- Name: COLUMN maintenance.rotated_at; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.maintenance.rotated_at IS 'When the current partition was started';

--
-- Name: notify_suppressed_until; Type: SEQUENCE; Schema: feed; Owner: feed_owner
--

CREATE UNLOGGED SEQUENCE feed.notify_suppressed_until
    START WITH 0
    INCREMENT BY 1
    MINVALUE 0
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE feed.notify_suppressed_until OWNER TO feed_owner;

--
-- Name: SEQUENCE notify_suppressed_until; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON SEQUENCE feed.notify_suppressed_until IS 'Writers skip NOTIFY until this time (milliseconds since 1970, by clock_timestamp), because the pacer reads the log every few milliseconds and sends NOTIFY for them. 9007199254740991: NOTIFY is switched off.';

--
-- Name: retention; Type: VIEW; Schema: feed; Owner: feed_owner
--

CREATE VIEW feed.retention AS
 SELECT p.partition,
    p.bounds,
    p.first_seq,
    p.first_at,
    p.last_seq,
    p.last_at,
    (clock_timestamp() - p.first_at) AS age,
        CASE
            WHEN (p.first_seq IS NULL) THEN (0)::bigint
            ELSE LEAST(GREATEST(pg_stat_get_live_tuples((p.partition)::oid), (c.reltuples)::bigint, (0)::bigint), ((p.last_seq - p.first_seq) + 1))
        END AS changes,
    pg_total_relation_size(p.partition) AS bytes,
    pg_size_pretty(pg_total_relation_size(p.partition)) AS size
   FROM (feed.log_partitions() p(partition, bounds, first_seq, first_at, last_seq, last_at)
     JOIN pg_class c ON ((c.oid = (p.partition)::oid)));

ALTER VIEW feed.retention OWNER TO feed_owner;

--
-- Name: VIEW retention; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON VIEW feed.retention IS 'What the log contains, by partition. The retention period is in feed.maintenance; how far the log was pruned is in feed.identity.floor_seq.';

--
-- Name: COLUMN retention.partition; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.retention.partition IS 'The partition';

--
-- Name: COLUMN retention.bounds; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.retention.bounds IS 'Partition bounds';

--
-- Name: COLUMN retention.first_seq; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.retention.first_seq IS 'First change; null: none';

--
-- Name: COLUMN retention.first_at; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.retention.first_at IS 'When the first change was written';

--
-- Name: COLUMN retention.last_seq; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.retention.last_seq IS 'Last change';

--
-- Name: COLUMN retention.last_at; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.retention.last_at IS 'When the last change was written';

--
-- Name: COLUMN retention.age; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.retention.age IS 'Age of the first change';

--
-- Name: COLUMN retention.changes; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.retention.changes IS 'Estimated number of rows, from the statistics';

--
-- Name: COLUMN retention.bytes; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.retention.bytes IS 'Size including indexes and TOAST';

--
-- Name: COLUMN retention.size; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.retention.size IS 'The same, human-readable';

--
-- Name: health; Type: VIEW; Schema: feed; Owner: feed_owner
--

CREATE VIEW feed.health AS
 WITH alive AS (
         SELECT instance_status.instance,
            instance_status.service,
            instance_status.alive,
            instance_status.ready,
            instance_status.listens,
            instance_status.connections,
            instance_status.pacer,
            instance_status.cursor,
            instance_status.anchor,
            instance_status.anchor_at,
            instance_status.reads,
            instance_status.since_read,
            instance_status.since_report,
            instance_status.started,
            instance_status.tailer_pid,
            instance_status.tailer,
            instance_status.listener_pid,
            instance_status.listener,
            instance_status.replica
           FROM feed.instance_status
          WHERE instance_status.alive
        ), activity AS (
         SELECT pg_stat_activity.pid,
            pg_stat_activity.xact_start,
            pg_stat_activity.application_name,
            pg_stat_activity.state,
            row_number() OVER (ORDER BY pg_stat_activity.xact_start) AS nth
           FROM pg_stat_activity
          WHERE ((pg_stat_activity.datname = current_database()) AND (pg_stat_activity.pid <> pg_backend_pid()) AND (pg_stat_activity.xact_start < (clock_timestamp() - '00:05:00'::interval)))
        ), blockers AS (
         SELECT pg_stat_activity.pid,
            pg_stat_activity.application_name,
            pg_stat_activity.datname,
            (pg_stat_activity.wait_event = 'ClientWrite'::text) AS stuck,
            COALESCE(pg_stat_activity.xact_start, pg_stat_activity.state_change) AS since,
            row_number() OVER (ORDER BY (pg_stat_activity.wait_event IS DISTINCT FROM 'ClientWrite'::text), COALESCE(pg_stat_activity.xact_start, pg_stat_activity.state_change)) AS nth
           FROM pg_stat_activity
          WHERE ((pg_stat_activity.pid <> pg_backend_pid()) AND (pg_stat_activity.backend_type = 'client backend'::text) AND (COALESCE(pg_stat_activity.xact_start, pg_stat_activity.state_change) < (clock_timestamp() - '00:00:10'::interval)) AND ((pg_stat_activity.wait_event = 'ClientWrite'::text) OR (pg_stat_activity.xact_start IS NOT NULL)))
        ), group_roles AS (
         SELECT pg_roles.oid
           FROM pg_roles
          WHERE (pg_roles.rolname = ANY (ARRAY['feed_app'::name, 'feed_listener'::name, 'feed_dba'::name, 'feed_owner'::name]))
        ), feeds AS (
         SELECT d.datname,
            d.datdba,
            d.datacl
           FROM pg_database d
          WHERE ((d.datname = current_database()) OR (d.datallowconn AND (EXISTS ( SELECT
                   FROM pg_shdepend s
                  WHERE ((s.dbid = d.oid) AND (s.refclassid = ('pg_authid'::regclass)::oid) AND (s.refobjid IN ( SELECT g.oid
                           FROM group_roles g)))))))
        ), partitions AS (
         SELECT (e.last_value + n.n) AS partition_number,
            format('feed.log_%s'::text, (e.last_value + n.n)) AS name,
            n.n AS ahead
           FROM (feed.partition_number e
             CROSS JOIN ( VALUES (0), (1)) n(n))
        ), log_tables AS (
         SELECT s.partition_number,
            s.name,
            s.ahead,
            (i.inhrelid IS NOT NULL) AS attached,
            (c.oid IS NOT NULL) AS there
           FROM ((( SELECT partitions.partition_number,
                    partitions.name,
                    partitions.ahead
                   FROM partitions
                UNION
                 SELECT ("substring"((pg_class.relname)::text, '^log_(\d+)$'::text))::bigint AS "substring",
                    format('feed.%I'::text, pg_class.relname) AS format,
                    NULL::integer
                   FROM pg_class
                  WHERE ((pg_class.relnamespace = ('feed'::regnamespace)::oid) AND (pg_class.relkind = 'r'::"char") AND (pg_class.relname ~ '^log_\d+$'::text) AND (NOT pg_class.relispartition) AND (NOT (format('feed.%I'::text, pg_class.relname) IN ( SELECT partitions.name
                           FROM partitions))))
                UNION
                 SELECT NULL::bigint,
                    'feed.log_default'::text,
                    NULL::integer) s
             LEFT JOIN pg_class c ON ((c.oid = (to_regclass(s.name))::oid)))
             LEFT JOIN pg_inherits i ON (((i.inhrelid = c.oid) AND (i.inhparent = ('feed.log'::regclass)::oid))))
        )
 SELECT 1 AS nr,
    'instances'::text AS topic,
        CASE
            WHEN (count(*) FILTER (WHERE instance_status.alive) = 0) THEN 'bad'::text
            WHEN bool_and(instance_status.alive) THEN 'ok'::text
            ELSE 'warning'::text
        END AS status,
    (((count(*) FILTER (WHERE instance_status.alive) || ' alive, '::text) || count(*) FILTER (WHERE (NOT instance_status.alive))) || ' not reporting'::text) AS found,
        CASE
            WHEN (count(*) FILTER (WHERE instance_status.alive) = 0) THEN 'boardcast feed # until then clients receive no changes'::text
            WHEN (NOT bool_and(instance_status.alive)) THEN 'SELECT * FROM feed.instance_status WHERE NOT alive; -- it was killed, is stopped, or cannot reach the database; its row is removed after five minutes'::text
            ELSE NULL::text
        END AS fix
   FROM feed.instance_status
UNION ALL
 SELECT 2 AS nr,
    'listeners'::text AS topic,
        CASE
            WHEN bool_and(alive.listens) THEN 'ok'::text
            WHEN (count(*) = 0) THEN 'unknown'::text
            ELSE 'bad'::text
        END AS status,
    (((count(*) FILTER (WHERE alive.listens) || ' of '::text) || count(*)) || ' receive NOTIFY'::text) AS found,
        CASE
            WHEN (NOT bool_and(alive.listens)) THEN (('boardcast doctor # with the settings of '::text || string_agg(alive.instance, ', '::text) FILTER (WHERE (NOT alive.listens))) || '. Until then changes take up to a second. If it persists, set LISTEN_DATABASE_URL to a direct connection, because LISTEN does not work through a transaction pooler'::text)
            ELSE NULL::text
        END AS fix
   FROM alive
UNION ALL
 SELECT 3 AS nr,
    'log reads'::text AS topic,
        CASE
            WHEN (count(*) = 0) THEN 'unknown'::text
            WHEN (max(alive.since_read) < '00:00:03'::interval) THEN 'ok'::text
            WHEN (max(alive.since_read) < '00:00:10'::interval) THEN 'warning'::text
            ELSE 'bad'::text
        END AS status,
    COALESCE((('the slowest instance last read the log '::text || round(EXTRACT(epoch FROM max(alive.since_read)), 1)) || ' s before its report'::text), 'no instance'::text) AS found,
        CASE
            WHEN (max(alive.since_read) >= '00:00:03'::interval) THEN 'SELECT instance, since_read, tailer FROM feed.instance_status; -- the log should be read at least once a second (BOARDCAST_READ_INTERVAL); also check the instance''s output'::text
            ELSE NULL::text
        END AS fix
   FROM alive
UNION ALL
 SELECT 4 AS nr,
    'lag'::text AS topic,
        CASE
            WHEN (count(*) = 0) THEN 'unknown'::text
            WHEN (max(lag.delay) < '00:00:02'::interval) THEN 'ok'::text
            WHEN (max(lag.delay) < '00:00:10'::interval) THEN 'warning'::text
            ELSE 'bad'::text
        END AS status,
    COALESCE((((('at most '::text || max(lag.behind)) || ' changes, '::text) || round(EXTRACT(epoch FROM max(lag.delay)), 1)) || ' s'::text), 'no instance'::text) AS found,
        CASE
            WHEN (max(lag.delay) >= '00:00:02'::interval) THEN 'SELECT * FROM feed.lag; -- if it is one instance, restart it. If it is all of them, the database is slow or a transaction is very large'::text
            ELSE NULL::text
        END AS fix
   FROM feed.lag
  WHERE lag.alive
UNION ALL
 SELECT 5 AS nr,
    'notify queue'::text AS topic,
        CASE
            WHEN (q.usage >= (0.5)::double precision) THEN 'bad'::text
            WHEN ((q.usage >= (0.1)::double precision) OR ((q.usage > (0)::double precision) AND p.stuck)) THEN 'warning'::text
            ELSE 'ok'::text
        END AS status,
    ((round(((q.usage)::numeric * (100)::numeric), 1) || '% full'::text) ||
        CASE
            WHEN (q.usage > (0)::double precision) THEN COALESCE((((format('; probably held up by pid %s (%s, database %s), '::text, p.pid, p.application_name, p.datname) ||
            CASE
                WHEN p.stuck THEN 'whose client does not read (ClientWrite)'::text
                ELSE 'which is in a transaction'::text
            END) || ', since '::text) || date_trunc('second'::text, p.since)), ''::text)
            ELSE ''::text
        END) AS found,
        CASE
            WHEN ((q.usage < (0.1)::double precision) AND ((q.usage = (0)::double precision) OR (p.stuck IS NOT TRUE))) THEN NULL::text
            WHEN (p.pid IS NOT NULL) THEN format('SELECT pg_terminate_backend(%s); -- when the queue is full, writes fail'::text, p.pid)
            WHEN pg_has_role('pg_read_all_stats'::name, 'USAGE'::text) THEN 'SELECT pid, application_name, state, query FROM pg_stat_activity WHERE query ~* ''listen''; -- find the session that LISTENs but does not read, and terminate it. When the queue is full, writes fail'::text
            ELSE 'GRANT pg_read_all_stats TO feed_dba; -- to see which session does not read. When the queue is full, writes fail'::text
        END AS fix
   FROM (( SELECT pg_notification_queue_usage() AS usage) q
     LEFT JOIN blockers p ON ((p.nth = 1)))
UNION ALL
 SELECT 6 AS nr,
    'triggers'::text AS topic,
        CASE
            WHEN (off.names IS NULL) THEN 'ok'::text
            WHEN off.renamed_only THEN 'warning'::text
            ELSE 'bad'::text
        END AS status,
    COALESCE(off.names, (( SELECT count(DISTINCT triggers.relation) AS count
           FROM feed.triggers
          WHERE (triggers.function = 'capture'::text)) || ' tables are attached'::text)) AS found,
        CASE
            WHEN (EXISTS ( SELECT
               FROM feed.flags f
              WHERE (f.flag = 'capture'::text))) THEN 'boardcast flags capture on # capture is switched off'::text
            WHEN off.renamed_only THEN (off.fixes || ' -- or boardcast migrate; until then writes are logged correctly, but more slowly'::text)
            ELSE (off.fixes || ' -- or boardcast migrate; until then writes are not logged, or not as they should be (stale: only as a reload, or without a board); afterwards run boardcast verify'::text)
        END AS fix
   FROM ( SELECT string_agg(format('%s on %s is %s'::text, triggers.trigger, triggers.relation, triggers.state), ', '::text ORDER BY (triggers.relation)::text, triggers.trigger) AS names,
            string_agg(DISTINCT triggers.fix, ' '::text) AS fixes,
            bool_and((triggers.state = 'renamed'::text)) AS renamed_only
           FROM feed.triggers
          WHERE (triggers.state <> ALL (ARRAY['on'::text, 'always'::text]))) off
UNION ALL
 SELECT 7 AS nr,
    'tables'::text AS topic,
        CASE
            WHEN (off.problems IS NULL) THEN 'ok'::text
            ELSE 'bad'::text
        END AS status,
    COALESCE(off.problems, (( SELECT count(*) AS count
           FROM feed.attached) || ' tables are the ones that were attached'::text)) AS found,
    (off.fixes || ' -- until then, what is written may not be logged. Attaching a table makes its readers load it again; afterwards run boardcast verify'::text) AS fix
   FROM ( SELECT string_agg(t.problem, '; '::text ORDER BY t.name, t.state) AS problems,
            string_agg(t.fix, ' '::text ORDER BY t.name, t.state) AS fixes
           FROM ( SELECT min(t_1.name) AS name,
                    min(t_1.state) AS state,
                    string_agg(DISTINCT t_1.problem, '; '::text) AS problem,
                    t_1.fix
                   FROM feed.attached_tables t_1
                  WHERE (t_1.state <> 'on'::text)
                  GROUP BY t_1.fix) t) off
UNION ALL
 SELECT 8 AS nr,
    'replication role'::text AS topic,
        CASE
            WHEN (s.roles IS NULL) THEN 'ok'::text
            ELSE 'bad'::text
        END AS status,
    COALESCE(('replica is set for '::text || s.roles), 'not set to replica for any role or database'::text) AS found,
    (s.fixes || ' -- until then their writes are not logged; afterwards run boardcast verify'::text) AS fix
   FROM ( SELECT string_agg((COALESCE(r.rolname, 'all'::name))::text, ', '::text) AS roles,
            string_agg(format('ALTER %s RESET session_replication_role;'::text,
                CASE
                    WHEN (r.oid IS NULL) THEN ('DATABASE '::text || quote_ident((d.datname)::text))
                    ELSE (('ROLE '::text || quote_ident((r.rolname)::text)) || COALESCE((' IN DATABASE '::text || quote_ident((d.datname)::text)), ''::text))
                END), ' '::text) AS fixes
           FROM ((pg_db_role_setting g
             LEFT JOIN pg_roles r ON ((r.oid = g.setrole)))
             LEFT JOIN pg_database d ON ((d.oid = g.setdatabase)))
          WHERE ((g.setdatabase = ANY (ARRAY[(0)::oid, ( SELECT pg_database.oid
                   FROM pg_database
                  WHERE (pg_database.datname = current_database()))])) AND ('session_replication_role=replica'::text = ANY (g.setconfig)))) s
UNION ALL
 SELECT 9 AS nr,
    'transactions'::text AS topic,
        CASE
            WHEN (a.pid IS NOT NULL) THEN 'warning'::text
            WHEN pg_has_role('pg_read_all_stats'::name, 'USAGE'::text) THEN 'ok'::text
            ELSE 'unknown'::text
        END AS status,
        CASE
            WHEN (a.pid IS NOT NULL) THEN (format('pid %s (%s) has been in a transaction since %s, %s'::text, a.pid, a.application_name, date_trunc('second'::text, a.xact_start), a.state) || COALESCE((('; and '::text || NULLIF(( SELECT (count(*) - 1)
               FROM activity), 0)) || ' more'::text), ''::text))
            WHEN pg_has_role('pg_read_all_stats'::name, 'USAGE'::text) THEN 'none is older than 5 minutes'::text
            ELSE 'you do not have the privilege to see those of other roles'::text
        END AS found,
        CASE
            WHEN (a.pid IS NOT NULL) THEN format('SELECT pg_terminate_backend(%s); -- it holds up vacuum and the removal of old partitions, but not the feed; its own changes are delivered when it commits'::text, a.pid)
            WHEN (NOT pg_has_role('pg_read_all_stats'::name, 'USAGE'::text)) THEN 'GRANT pg_read_all_stats TO feed_dba;'::text
            ELSE NULL::text
        END AS fix
   FROM (( SELECT) one
     LEFT JOIN activity a ON ((a.nth = 1)))
UNION ALL
 SELECT 10 AS nr,
    'prepared transactions'::text AS topic,
        CASE
            WHEN (count(*) = 0) THEN 'ok'::text
            ELSE 'warning'::text
        END AS status,
    ((count(*) || ' older than a minute'::text) || COALESCE((': '::text || min(pg_prepared_xacts.gid)), ''::text)) AS found,
        CASE
            WHEN (count(*) > 0) THEN format('ROLLBACK PREPARED %L; -- or COMMIT PREPARED: ask its coordinator. It holds up vacuum until it ends. It changed an attached table only if it skipped NOTIFY'::text, min(pg_prepared_xacts.gid))
            ELSE NULL::text
        END AS fix
   FROM pg_prepared_xacts
  WHERE ((pg_prepared_xacts.database = current_database()) AND (pg_prepared_xacts.prepared < (clock_timestamp() - '00:01:00'::interval)))
UNION ALL
 SELECT 11 AS nr,
    'notify mode'::text AS topic,
        CASE
            WHEN (p.muted OR n.muted OR ((p.mode <> ALL (ARRAY['direct'::text, 'muted'::text])) AND (p.until < (clock_timestamp() - '00:00:10'::interval)))) THEN 'warning'::text
            ELSE 'ok'::text
        END AS status,
        CASE
            WHEN (p.muted OR n.muted) THEN 'muted: no NOTIFY is sent, and the log is read once a second'::text
            WHEN ((p.until < clock_timestamp()) OR (p.mode = ANY (ARRAY['direct'::text, 'muted'::text]))) THEN 'every write sends NOTIFY'::text
            ELSE ((p.instance || ' is the pacer, mode '::text) || p.mode)
        END AS found,
        CASE
            WHEN p.muted THEN 'boardcast flags notify on # NOTIFY is switched off'::text
            WHEN n.muted THEN 'SELECT feed.set_notify(true); -- the sequence feed.notify_suppressed_until was set by hand'::text
            WHEN ((p.mode <> ALL (ARRAY['direct'::text, 'muted'::text])) AND (p.until < (clock_timestamp() - '00:00:10'::interval))) THEN 'SELECT * FROM feed.pacer; -- the pacer stopped without giving back the lease, and no instance took over: see instances. Until then every write sends NOTIFY, which is slower with many writers'::text
            ELSE NULL::text
        END AS fix
   FROM (feed.pacer p
     CROSS JOIN LATERAL ( SELECT (NOT (pg_sequence_last_value('feed.notify_suppressed_until'::regclass) IS DISTINCT FROM '9007199254740991'::bigint)) AS muted) n)
UNION ALL
 SELECT 12 AS nr,
    'history'::text AS topic,
        CASE
            WHEN s.same THEN 'ok'::text
            ELSE 'warning'::text
        END AS status,
    format('feed %s, since %s: %s'::text, i.feed_id, date_trunc('second'::text, i.renewed_at), i.reason) AS found,
        CASE
            WHEN (NOT s.same) THEN 'SELECT feed.identify(); -- the existing cursors were made on another cluster or timeline; the next service that connects also does this'::text
            ELSE NULL::text
        END AS fix
   FROM (feed.identity i
     CROSS JOIN LATERAL ( SELECT ((i.system_identifier, i.timeline) = ( SELECT (pg_control_system.system_identifier)::text AS system_identifier,
                    "left"(pg_walfile_name(pg_current_wal_lsn()), 8) AS "left"
                   FROM pg_control_system() pg_control_system(pg_control_version, catalog_version_no, system_identifier, pg_control_last_modified))) AS same) s)
UNION ALL
 SELECT 13 AS nr,
    'log'::text AS topic,
        CASE
            WHEN ((sum(retention.bytes))::double precision < ((10)::double precision * ((1024)::double precision ^ (3)::double precision))) THEN 'ok'::text
            ELSE 'warning'::text
        END AS status,
    (format('%s in %s, about %s changes'::text, pg_size_pretty(sum(retention.bytes)), 'feed.log', sum(retention.changes)) || COALESCE((', the oldest from '::text || date_trunc('second'::text, min(retention.first_at))), ''::text)) AS found,
        CASE
            WHEN ((sum(retention.bytes))::double precision >= ((10)::double precision * ((1024)::double precision ^ (3)::double precision))) THEN 'boardcast retain 30d # shorten the retention period, or use a larger disk. boardcast prune --older-than 30d removes old changes now'::text
            ELSE NULL::text
        END AS fix
   FROM feed.retention
UNION ALL
 SELECT 14 AS nr,
    'partitions'::text AS topic,
        CASE
            WHEN bool_or(((p.name = 'feed.log_default'::text) AND (NOT p.attached))) THEN 'bad'::text
            WHEN (bool_and(p.attached) AND (min(extra.first_seq) IS NULL)) THEN 'ok'::text
            ELSE 'warning'::text
        END AS status,
    COALESCE(NULLIF(concat_ws('; '::text, string_agg(format('%s is %s'::text, substr(p.name, 6),
        CASE
            WHEN p.there THEN 'detached'::text
            ELSE 'missing'::text
        END), '; '::text ORDER BY p.name) FILTER (WHERE (NOT p.attached)), ('log_default contains changes, starting at seq '::text || min(extra.first_seq))), ''::text), ('the next partition is ready; retention period '::text || min(k.retention))) AS found,
    NULLIF(concat_ws(' '::text, string_agg(
        CASE
            WHEN ((p.name = 'feed.log_default'::text) AND p.there) THEN 'ALTER TABLE feed.log ATTACH PARTITION feed.log_default DEFAULT;'::text
            WHEN (p.name = 'feed.log_default'::text) THEN 'CREATE TABLE feed.log_default PARTITION OF feed.log DEFAULT; ALTER TABLE feed.log_default OWNER TO feed_owner;'::text
            WHEN p.there THEN format('BEGIN; LOCK feed.log; WITH moved AS (DELETE FROM feed.log_default WHERE partition_number = %s RETURNING *) INSERT INTO %s SELECT * FROM moved; ALTER TABLE feed.log ATTACH PARTITION %2$s FOR VALUES FROM (%1$s) TO (%3$s); COMMIT;'::text, p.partition_number, p.name, (p.partition_number + 1))
            WHEN (p.ahead = 0) THEN 'SELECT feed.rotate_partition(); SELECT feed.maintain();'::text
            WHEN (p.ahead = 1) THEN 'SELECT feed.maintain();'::text
            ELSE NULL::text
        END, ' '::text ORDER BY p.partition_number DESC) FILTER (WHERE (NOT p.attached)),
        CASE
            WHEN bool_or(((p.name = 'feed.log_default'::text) AND (NOT p.attached))) THEN '-- until then writes may fail, because no partition accepts them'::text
            WHEN (NOT bool_and(p.attached)) THEN '-- until then new changes go to log_default'::text
            WHEN (min(extra.first_seq) IS NOT NULL) THEN '-- a partition was dropped by hand. These changes are read like all others, and dropped when they are old enough'::text
            ELSE NULL::text
        END), ''::text) AS fix
   FROM ((log_tables p
     CROSS JOIN feed.maintenance k)
     LEFT JOIN feed.retention extra ON (((extra.partition)::oid = (to_regclass('feed.log_default'::text))::oid)))
UNION ALL
 SELECT 15 AS nr,
    'indexes'::text AS topic,
        CASE
            WHEN (off.names IS NULL) THEN 'ok'::text
            WHEN (off.keys > 0) THEN 'bad'::text
            ELSE 'warning'::text
        END AS status,
    COALESCE(off.names, 'all exist and are valid'::text) AS found,
    (off.fixes ||
        CASE
            WHEN (off.keys > 0) THEN ' -- until then, two rows with the same key would be one row to the readers'::text
            ELSE ''::text
        END) AS fix
   FROM ( SELECT string_agg(
                CASE
                    WHEN (i.index IS NULL) THEN format('no index makes the key of %s unique'::text, i.relation)
                    ELSE format('%s on %s is %s'::text, i.index, i.relation, i.state)
                END, ', '::text ORDER BY (i.relation)::text, i.index) AS names,
            string_agg(i.fix, ' '::text ORDER BY (i.relation)::text, i.index) AS fixes,
            count(*) FILTER (WHERE (i.index IS NULL)) AS keys
           FROM feed.indexes i
          WHERE (i.state <> 'on'::text)) off
UNION ALL
 SELECT 16 AS nr,
    'connections'::text AS topic,
        CASE
            WHEN ((c.used)::numeric < (0.8 * (c.maximum)::numeric)) THEN 'ok'::text
            WHEN ((c.used)::numeric < (0.95 * (c.maximum)::numeric)) THEN 'warning'::text
            ELSE 'bad'::text
        END AS status,
    format('%s of %s in use (%s)'::text, c.used, c.maximum, c.bound) AS found,
        CASE
            WHEN ((c.used)::numeric >= (0.8 * (c.maximum)::numeric)) THEN ('SELECT application_name, usename, state, count(*) FROM pg_stat_activity GROUP BY 1, 2, 3 ORDER BY 4 DESC; -- shows who uses them. Use a connection pooler, or '::text || c.more)
            ELSE NULL::text
        END AS fix
   FROM ( SELECT b.used,
            b.bound,
            b.maximum,
            b.more
           FROM ( SELECT (( SELECT sum(pg_stat_database.numbackends) AS sum
                           FROM pg_stat_database))::integer AS used,
                    'max_connections'::text AS bound,
                    (((current_setting('max_connections'::text))::integer - (current_setting('superuser_reserved_connections'::text))::integer) - COALESCE((current_setting('reserved_connections'::text, true))::integer, 0)) AS maximum,
                    format('ALTER SYSTEM SET max_connections = %s and restart the server'::text, (2 * (current_setting('max_connections'::text))::integer)) AS more
                UNION ALL
                 SELECT s.numbackends,
                    'limit of this database'::text,
                    d.datconnlimit,
                    format('ALTER DATABASE %I CONNECTION LIMIT %s'::text, d.datname, ((2 * d.datconnlimit) + 2)) AS format
                   FROM (pg_database d
                     JOIN pg_stat_database s ON ((s.datid = d.oid)))
                  WHERE ((d.datname = current_database()) AND (d.datconnlimit >= 0))
                UNION ALL
                 SELECT (count(*))::integer AS count,
                    format('limit of role %I'::text, r.rolname) AS format,
                    r.rolconnlimit,
                    format('ALTER ROLE %I CONNECTION LIMIT %s'::text, r.rolname, ((2 * r.rolconnlimit) + 2)) AS format
                   FROM (pg_roles r
                     JOIN pg_stat_activity a ON ((a.usesysid = r.oid)))
                  WHERE (r.rolconnlimit > 0)
                  GROUP BY r.rolname, r.rolconnlimit) b
          ORDER BY ((b.used)::double precision / (GREATEST(b.maximum, 1))::double precision) DESC
         LIMIT 1) c
UNION ALL
 SELECT 17 AS nr,
    'transaction ids'::text AS topic,
        CASE
            WHEN (d.spent < 0.25) THEN 'ok'::text
            WHEN (d.spent < 0.75) THEN 'warning'::text
            ELSE 'bad'::text
        END AS status,
    format('%s%% used in database %s'::text, round((d.spent * (100)::numeric)), d.datname) AS found,
        CASE
            WHEN (d.spent >= 0.25) THEN (('VACUUM (FREEZE, VERBOSE); -- in database '::text || quote_ident((d.datname)::text)) || '. At 100% writes fail. If vacuum does not help, see transactions and prepared transactions'::text)
            ELSE NULL::text
        END AS fix
   FROM ( SELECT pg_database.datname,
            (((GREATEST(age(pg_database.datfrozenxid), mxid_age(pg_database.datminmxid)))::double precision / ((2)::double precision ^ (31)::double precision)))::numeric AS spent
           FROM pg_database
          WHERE pg_database.datallowconn
          ORDER BY ((((GREATEST(age(pg_database.datfrozenxid), mxid_age(pg_database.datminmxid)))::double precision / ((2)::double precision ^ (31)::double precision)))::numeric) DESC
         LIMIT 1) d
UNION ALL
 SELECT 18 AS nr,
    'internal tables'::text AS topic,
        CASE
            WHEN ((n.bytes)::double precision < ((256)::double precision * ((1024)::double precision ^ (2)::double precision))) THEN 'ok'::text
            ELSE 'warning'::text
        END AS status,
    format('%s in feed.instances, feed.delivery_journal, feed.tickets and feed.user_presence'::text, pg_size_pretty(n.bytes)) AS found,
        CASE
            WHEN ((n.bytes)::double precision >= ((256)::double precision * ((1024)::double precision ^ (2)::double precision))) THEN 'VACUUM FULL feed.instances, feed.delivery_journal, feed.tickets, feed.user_presence; -- these tables are small unless autovacuum is held up: see transactions'::text
            ELSE NULL::text
        END AS fix
   FROM ( SELECT (sum(pg_total_relation_size(to_regclass(t.name))))::bigint AS bytes
           FROM unnest('{feed.instances,feed.delivery_journal,feed.tickets,feed.user_presence}'::text[]) t(name)) n
UNION ALL
 SELECT 19 AS nr,
    'flags'::text AS topic,
        CASE
            WHEN (f.capture IS NOT NULL) THEN 'bad'::text
            WHEN (f.notify IS NOT NULL) THEN 'warning'::text
            ELSE 'ok'::text
        END AS status,
    COALESCE(NULLIF(concat_ws('; '::text, f.capture, f.notify, NULLIF(f.realtime, ''::text)), ''::text), 'none set: websocket for everybody'::text) AS found,
        CASE
            WHEN (f.capture IS NOT NULL) THEN 'boardcast flags capture on # once the reason is gone; until then nothing is logged or delivered'::text
            WHEN (f.notify IS NOT NULL) THEN 'boardcast flags notify on # once the reason is gone; until then changes are delivered up to a second later'::text
            ELSE NULL::text
        END AS fix
   FROM ( SELECT max(format('capture has been off since %s, set by %s'::text, date_trunc('second'::text, flags.at), flags.set_by)) FILTER (WHERE (flags.flag = 'capture'::text)) AS capture,
            max(format('NOTIFY has been off since %s, set by %s'::text, date_trunc('second'::text, flags.at), flags.set_by)) FILTER (WHERE (flags.flag = 'notify'::text)) AS notify,
            concat_ws(', '::text, max((('realtime is '::text || flags.value) || ' for everybody'::text)) FILTER (WHERE ((flags.flag = 'realtime'::text) AND (flags.scope = 'everybody'::text))), max(format('realtime is %s for %s%% of users'::text, flags.value, flags.percentage)) FILTER (WHERE ((flags.flag = 'realtime'::text) AND (flags.scope = 'percentage'::text))), (NULLIF(count(*) FILTER (WHERE ((flags.flag = 'realtime'::text) AND (flags.scope = 'user'::text))), 0) || ' users have their own realtime setting'::text)) AS realtime
           FROM feed.flags) f
UNION ALL
 SELECT 20 AS nr,
    'roles'::text AS topic,
        CASE
            WHEN (o.found IS NULL) THEN 'ok'::text
            ELSE 'warning'::text
        END AS status,
    COALESCE(o.found,
        CASE ( SELECT count(*) AS count
               FROM feeds)
            WHEN 1 THEN 'no other database of the cluster has a feed'::text
            ELSE 'only roles that were allowed to connect by name can read this feed'::text
        END) AS found,
    (o.fixes || ' -- first GRANT CONNECT ON DATABASE ... TO each role that uses that database'::text) AS fix
   FROM ( SELECT string_agg(format('database %I also has a feed, and may be read by %s, because group roles belong to the whole cluster'::text, w.datname, w.members), '; '::text ORDER BY w.datname) AS found,
            string_agg(format('REVOKE CONNECT ON DATABASE %I FROM PUBLIC;'::text, w.datname), ' '::text ORDER BY w.datname) AS fixes
           FROM ( SELECT d.datname,
                    string_agg(DISTINCT format('%I'::text, m.rolname), ', '::text) AS members
                   FROM (feeds d
                     JOIN pg_roles m ON ((m.rolcanlogin AND (NOT m.rolsuper) AND (NOT pg_has_role(m.oid, d.datdba, 'MEMBER'::text)))))
                  WHERE ((( SELECT count(*) AS count
                           FROM feeds) > 1) AND (EXISTS ( SELECT
                           FROM aclexplode(COALESCE(d.datacl, acldefault('d'::"char", d.datdba))) a(grantor, grantee, privilege_type, is_grantable)
                          WHERE ((a.grantee = (0)::oid) AND (a.privilege_type = 'CONNECT'::text)))) AND (NOT (EXISTS ( SELECT
                           FROM aclexplode(d.datacl) a(grantor, grantee, privilege_type, is_grantable)
                          WHERE ((a.grantee <> (0)::oid) AND (a.privilege_type = 'CONNECT'::text) AND pg_has_role(m.oid, a.grantee, 'MEMBER'::text))))) AND (EXISTS ( SELECT
                           FROM group_roles g
                          WHERE pg_has_role(m.oid, g.oid, 'MEMBER'::text))))
                  GROUP BY d.datname) w) o
UNION ALL
 SELECT 21 AS nr,
    'ownership'::text AS topic,
        CASE
            WHEN (o.first IS NULL) THEN 'ok'::text
            WHEN o.rights THEN 'bad'::text
            ELSE 'warning'::text
        END AS status,
    COALESCE((o.first || COALESCE((('; and '::text || NULLIF(o.others, 0)) || ' more'::text), ''::text)), 'application code runs as feed_sandbox, everything else is owned by feed_owner'::text) AS found,
    (o.fixes ||
        CASE
            WHEN o.rights THEN ' -- until then application code can run with the rights of the function''s owner'::text
            ELSE ' -- until then old partitions cannot be dropped'::text
        END) AS fix
   FROM ( SELECT min(w.found) AS first,
            (count(*) - 1) AS others,
            bool_or(w.rights) AS rights,
            string_agg(w.fix, ' '::text ORDER BY w.fix) AS fixes
           FROM ( SELECT format('%s is owned by %s'::text, (p.oid)::regprocedure, pg_get_userbyid(p.proowner)) AS found,
                    p.prosecdef AS rights,
                    format('ALTER FUNCTION %s OWNER TO %s;'::text, (p.oid)::regprocedure, n.owner) AS fix
                   FROM (pg_proc p
                     CROSS JOIN LATERAL ( SELECT
                                CASE
                                    WHEN (p.proname = ANY (ARRAY['row_image'::name, 'value_image'::name, 'typed_image'::name])) THEN 'feed_sandbox'::text
                                    ELSE 'feed_owner'::text
                                END AS owner) n)
                  WHERE ((p.pronamespace = ('feed'::regnamespace)::oid) AND (pg_get_userbyid(p.proowner) <> n.owner))
                UNION ALL
                 SELECT format('%s is owned by %s'::text, (c.oid)::regclass, pg_get_userbyid(c.relowner)) AS format,
                    false,
                    format('ALTER TABLE %s OWNER TO feed_owner;'::text, (c.oid)::regclass) AS format
                   FROM pg_class c
                  WHERE ((c.relnamespace = ('feed'::regnamespace)::oid) AND (c.relkind = ANY (ARRAY['r'::"char", 'p'::"char", 'v'::"char", 'S'::"char"])) AND (pg_get_userbyid(c.relowner) <> 'feed_owner'::name))
                UNION ALL
                 SELECT format('%s was altered or dropped'::text, f.name) AS format,
                    true,
                        CASE
                            WHEN (p.oid IS NOT NULL) THEN format('ALTER FUNCTION %1$s RESET ALL; ALTER FUNCTION %1$s SECURITY DEFINER CALLED ON NULL INPUT STABLE;'::text, f.name)
                            ELSE '-- recreate it as in db/sql/functions and db/sql/grants/ownership.sql; until then writes to attached tables fail'::text
                        END AS "case"
                   FROM (( VALUES ('feed.row_image(record)'::text), ('feed.value_image(anyelement)'::text), ('feed.typed_image(anyelement,jsonb)'::text)) f(name)
                     LEFT JOIN pg_proc p ON ((p.oid = (to_regprocedure(f.name))::oid)))
                  WHERE ((p.prosecdef AND (p.provolatile = 's'::"char") AND (NOT p.proisstrict) AND (p.proconfig IS NULL)) IS NOT TRUE)
                UNION ALL
                 SELECT format('role %s can log in or has role attributes'::text, r.rolname) AS format,
                    true,
                    format('ALTER ROLE %s NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;'::text, r.rolname) AS format
                   FROM pg_roles r
                  WHERE ((r.rolname = ANY (ARRAY['feed_owner'::name, 'feed_sandbox'::name])) AND (r.rolcanlogin OR r.rolsuper OR r.rolcreatedb OR r.rolcreaterole OR r.rolreplication OR r.rolbypassrls))
                UNION ALL
                 SELECT format('role %s is a member of %s'::text, r.rolname, (m.roleid)::regrole) AS format,
                    true,
                    format('REVOKE %s FROM %s;'::text, (m.roleid)::regrole, r.rolname) AS format
                   FROM (pg_roles r
                     JOIN pg_auth_members m ON ((m.member = r.oid)))
                  WHERE (r.rolname = ANY (ARRAY['feed_owner'::name, 'feed_sandbox'::name]))) w) o
UNION ALL
 SELECT 22 AS nr,
    'opportunities'::text AS topic,
        CASE
            WHEN ((a.relation IS NULL) OR ((s.target IS NOT NULL) AND (m.names IS NULL) AND (l.name IS NULL) AND (a.restoring IS NULL))) THEN 'ok'::text
            WHEN (s.target IS NULL) THEN 'bad'::text
            ELSE 'warning'::text
        END AS status,
        CASE
            WHEN (a.relation IS NULL) THEN 'no table: only attached tables are logged'::text
            WHEN (feed.opportunities_table() IS NULL) THEN 'the table of the opportunities was dropped: boards are empty'::text
            WHEN (s.target IS NULL) THEN format('the key column of %s was dropped: boards are empty, and each write sends a reload'::text, a.relation)
            WHEN (m.names IS NOT NULL) THEN (format('%s has no column %s: '::text, a.relation, array_to_string(m.names, ', '::text)) || m.effects)
            WHEN (a.restoring IS NOT NULL) THEN format('values of %s are being restored from the log in %s'::text, ( SELECT string_agg(c.value, ', '::text) AS string_agg
               FROM jsonb_array_elements_text((a.restoring -> 'columns'::text)) c(value)), a.relation)
            WHEN (l.name IS NOT NULL) THEN format('trigger %I on %s runs after zz_feed_version: if it sets version_number, clients drop changes'::text, l.name, a.relation)
            ELSE format('%s has all columns'::text, a.relation)
        END AS found,
        CASE
            WHEN ((s.target IS NOT NULL) AND (m.names IS NOT NULL)) THEN 'SELECT feed.mend(); -- or boardcast migrate: it adds the columns, and restores their values from the log'::text
            WHEN ((s.target IS NOT NULL) AND (a.restoring IS NOT NULL)) THEN 'SELECT feed.mend(); -- or boardcast migrate: it restores the rest'::text
            WHEN ((s.target IS NOT NULL) AND (octet_length(l.name) > 55)) THEN format('ALTER TRIGGER %I ON %s RENAME TO ...; -- to a name before zz_feed_version'::text, l.name, a.relation)
            WHEN ((s.target IS NOT NULL) AND (l.name IS NOT NULL)) THEN 'SELECT feed.mend(); -- or boardcast migrate: it adds a trigger that runs after this one'::text
            WHEN ((a.relation IS NOT NULL) AND (s.target IS NULL)) THEN format('boardcast migrate # after the table %s has been created again, with a primary key of one column'::text, COALESCE(a.name, 'public.opportunities'::text))
            ELSE NULL::text
        END AS fix
   FROM ((((( SELECT) one
     LEFT JOIN feed.adopted a ON ((a.role = 'opportunities'::text)))
     CROSS JOIN LATERAL feed.opportunity_source() s(target, key_column, board_column, complete, id_text, version_text, row_source, by_key, by_board))
     CROSS JOIN LATERAL ( SELECT array_agg(w.name ORDER BY w.name) AS names,
            string_agg(w.effect, ', '::text ORDER BY w.name) AS effects
           FROM (( VALUES ('board_id'::text,'all cards are on one board'::text), ('phase'::text,'cards have no stage'::text), ('position'::text,'cards are not sorted'::text), ('title'::text,'cards have no title'::text), ('version_number'::text,'versions are those of the log'::text)) w(name, effect)
             JOIN feed.field_columns() f(field, name) ON ((f.field = w.name)))
          WHERE ((s.target IS NOT NULL) AND (f.name IS NULL))) m)
     CROSS JOIN LATERAL ( SELECT max((t.name COLLATE "C")) AS name
           FROM feed.later_triggers() t(relation, name, is_last)
          WHERE t.is_last) l)
UNION ALL
 SELECT 23 AS nr,
    'seals'::text AS topic,
        CASE
            WHEN (late.at IS NULL) THEN 'ok'::text
            ELSE 'warning'::text
        END AS status,
        CASE
            WHEN (f.flag IS NULL) THEN 'the log is not sealed'::text
            WHEN (late.at IS NOT NULL) THEN format('changes since %s are not sealed'::text, date_trunc('second'::text, late.at))
            WHEN (s.number IS NULL) THEN 'nothing is sealed yet'::text
            ELSE format('seal %s of %s, up to seq %s'::text, s.number, date_trunc('second'::text, s.sealed_at), s.last_seq)
        END AS found,
        CASE
            WHEN (late.at IS NOT NULL) THEN 'SELECT feed.seal(); -- services do this once a minute, until the log is sealed up to the oldest transaction in progress: see instances and transactions'::text
            ELSE NULL::text
        END AS fix
   FROM (((( SELECT) one
     LEFT JOIN feed.flags f ON ((f.flag = 'seal'::text)))
     LEFT JOIN LATERAL ( SELECT n.number,
            n.partition_number,
            n.xid,
            n.part_seq,
            n.part_end,
            n.changes,
            n.first_seq,
            n.last_seq,
            n.sealed_at,
            n.rows_hash,
            n.hash
           FROM feed.seals n
          ORDER BY n.number DESC
         LIMIT 1) s ON ((f.flag IS NOT NULL)))
     LEFT JOIN LATERAL ( SELECT min(n.at) AS at
           FROM ( SELECT ( SELECT l.at
                           FROM feed.log l
                          WHERE ((l.partition_number = s.partition_number) AND (l.xid > s.xid))
                          ORDER BY l.xid
                         LIMIT 1) AS at
                UNION ALL
                 SELECT ( SELECT l.at
                           FROM feed.log l
                          WHERE (l.partition_number > COALESCE(s.partition_number, (0)::bigint))
                          ORDER BY l.xid
                         LIMIT 1) AS at) n(at)
          WHERE (GREATEST(n.at, f.at) < (clock_timestamp() - '00:10:00'::interval))) late ON ((f.flag IS NOT NULL)));

ALTER VIEW feed.health OWNER TO feed_owner;

--
-- Name: VIEW health; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON VIEW feed.health IS 'Health checks of the feed, one row per check, with a fix for each problem. For problems only, use WHERE status <> ''ok''. Query it on the primary. boardcast doctor also checks what only a client can see.';

--
-- Name: COLUMN health.nr; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.health.nr IS 'Sort order';

--
-- Name: COLUMN health.topic; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.health.topic IS 'What is checked';

--
-- Name: COLUMN health.status; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.health.status IS 'ok; warning: look at it today; bad: changes are not delivered, or only with a delay; unknown: it could not be checked, see found';

--
-- Name: COLUMN health.found; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.health.found IS 'What the check found';

--
-- Name: COLUMN health.fix; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.health.fix IS 'What to do, ready to paste; null if nothing is wrong';

--
-- Name: log_1; Type: TABLE; Schema: feed; Owner: feed_owner
--

CREATE TABLE feed.log_1 (
    seq bigint DEFAULT NULL CONSTRAINT log_seq_not_null NOT NULL,
    xid xid8 DEFAULT NULL CONSTRAINT log_xid_not_null NOT NULL,
    at timestamp with time zone DEFAULT NULL CONSTRAINT log_at_not_null NOT NULL,
    partition_number bigint DEFAULT NULL CONSTRAINT log_partition_number_not_null NOT NULL,
    relation text CONSTRAINT log_relation_not_null NOT NULL,
    op text CONSTRAINT log_op_not_null NOT NULL,
    key text,
    board text,
    old jsonb,
    new jsonb,
    delta integer,
    image_hash bigint,
    version integer,
    parents integer[],
    actor text CONSTRAINT log_actor_not_null NOT NULL,
    origin text,
    traceparent text DEFAULT NULL,
    db_user text CONSTRAINT log_db_user_not_null NOT NULL,
    application text,
    client_addr inet,
    pid integer CONSTRAINT log_pid_not_null NOT NULL,
    notified boolean DEFAULT NULL CONSTRAINT log_notified_not_null NOT NULL,
    image_bytes integer
)
WITH (autovacuum_freeze_min_age='0', autovacuum_vacuum_insert_scale_factor='0.05');

ALTER TABLE feed.log_1 OWNER TO feed_owner;

--
-- Name: TABLE log_1; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON TABLE feed.log_1 IS 'Partition of feed.log. Dropped when all its rows are older than the retention period.';

--
-- Name: log_2; Type: TABLE; Schema: feed; Owner: feed_owner
--

CREATE TABLE feed.log_2 (
    seq bigint DEFAULT NULL CONSTRAINT log_seq_not_null NOT NULL,
    xid xid8 DEFAULT NULL CONSTRAINT log_xid_not_null NOT NULL,
    at timestamp with time zone DEFAULT NULL CONSTRAINT log_at_not_null NOT NULL,
    partition_number bigint DEFAULT NULL CONSTRAINT log_partition_number_not_null NOT NULL,
    relation text CONSTRAINT log_relation_not_null NOT NULL,
    op text CONSTRAINT log_op_not_null NOT NULL,
    key text,
    board text,
    old jsonb,
    new jsonb,
    delta integer,
    image_hash bigint,
    version integer,
    parents integer[],
    actor text CONSTRAINT log_actor_not_null NOT NULL,
    origin text,
    traceparent text DEFAULT NULL,
    db_user text CONSTRAINT log_db_user_not_null NOT NULL,
    application text,
    client_addr inet,
    pid integer CONSTRAINT log_pid_not_null NOT NULL,
    notified boolean DEFAULT NULL CONSTRAINT log_notified_not_null NOT NULL,
    image_bytes integer
)
WITH (autovacuum_freeze_min_age='0', autovacuum_vacuum_insert_scale_factor='0.05');

ALTER TABLE feed.log_2 OWNER TO feed_owner;

--
-- Name: TABLE log_2; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON TABLE feed.log_2 IS 'Partition of feed.log. Dropped when all its rows are older than the retention period.';

--
-- Name: log_default; Type: TABLE; Schema: feed; Owner: feed_owner
--

CREATE TABLE feed.log_default (
    seq bigint DEFAULT nextval('feed.log_seq'::regclass) CONSTRAINT log_seq_not_null NOT NULL,
    xid xid8 DEFAULT pg_current_xact_id() CONSTRAINT log_xid_not_null NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() CONSTRAINT log_at_not_null NOT NULL,
    partition_number bigint DEFAULT pg_sequence_last_value('feed.partition_number'::regclass) CONSTRAINT log_partition_number_not_null NOT NULL,
    relation text CONSTRAINT log_relation_not_null NOT NULL,
    op text CONSTRAINT log_op_not_null NOT NULL,
    key text,
    board text,
    old jsonb,
    new jsonb,
    delta integer,
    image_hash bigint,
    version integer,
    parents integer[],
    actor text CONSTRAINT log_actor_not_null NOT NULL,
    origin text,
    traceparent text DEFAULT "left"(current_setting('feed.traceparent'::text, true), 56),
    db_user text CONSTRAINT log_db_user_not_null NOT NULL,
    application text,
    client_addr inet,
    pid integer CONSTRAINT log_pid_not_null NOT NULL,
    notified boolean DEFAULT true CONSTRAINT log_notified_not_null NOT NULL,
    image_bytes integer
);

ALTER TABLE feed.log_default OWNER TO feed_owner;

--
-- Name: TABLE log_default; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON TABLE feed.log_default IS 'Rows whose partition is missing. Empty unless a partition was dropped or detached by hand.';

--
-- Name: opportunity_versions; Type: VIEW; Schema: feed; Owner: feed_owner
--

CREATE VIEW feed.opportunity_versions AS
 SELECT (l.seq)::text AS id,
    l.key AS opportunity_id,
    COALESCE(l.version, ((l.seq % (2147483647)::bigint))::integer) AS version_number,
    feed.image_after(l.relation, l.key, l.seq, l.op, l.old, l.new, l.delta) AS data,
    l.actor AS created_by,
    l.at AS created_at,
    l.parents,
    l.board AS board_id
   FROM feed.log l
  WHERE ((l.relation = 'opportunities'::text) AND (l.op = ANY (ARRAY['insert'::text, 'update'::text, 'enter'::text])))
UNION ALL
 SELECT ((l.seq)::text || '-'::text) AS id,
    l.key AS opportunity_id,
    feed.version_number(b.image) AS version_number,
    b.image AS data,
    (b.image ->> 'last_modified_by'::text) AS created_by,
        CASE
            WHEN ((b.image ->> 'last_sync_at'::text) ~ '^[0-9]{4}-'::text) THEN ((b.image ->> 'last_sync_at'::text))::timestamp with time zone
            ELSE NULL::timestamp with time zone
        END AS created_at,
    NULL::integer[] AS parents,
    l.board AS board_id
   FROM (feed.log l
     CROSS JOIN LATERAL ( SELECT feed.image_before(l.relation, l.key, l.seq, l.op, l.old, l.new, l.delta) AS image) b)
  WHERE ((l.relation = 'opportunities'::text) AND (l.op = ANY (ARRAY['update'::text, 'leave'::text, 'delete'::text])) AND (NOT (EXISTS ( SELECT
           FROM feed.log earlier
          WHERE ((earlier.relation = 'opportunities'::text) AND (earlier.key = l.key) AND (earlier.seq < l.seq))))));

ALTER VIEW feed.opportunity_versions OWNER TO feed_owner;

--
-- Name: VIEW opportunity_versions; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON VIEW feed.opportunity_versions IS 'All versions of all opportunities, including deleted ones, read from feed.log. data is the row as of that version.';

--
-- Name: COLUMN opportunity_versions.id; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.opportunity_versions.id IS 'Sequence number of the change that made the version; with a dash: the version before the first logged change';

--
-- Name: COLUMN opportunity_versions.opportunity_id; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.opportunity_versions.opportunity_id IS 'The opportunity';

--
-- Name: COLUMN opportunity_versions.version_number; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.opportunity_versions.version_number IS 'The version; the sequence number of the change if the application had no column version_number then';

--
-- Name: COLUMN opportunity_versions.data; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.opportunity_versions.data IS 'The row as of that version';

--
-- Name: COLUMN opportunity_versions.created_by; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.opportunity_versions.created_by IS 'Who made the version';

--
-- Name: COLUMN opportunity_versions.created_at; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.opportunity_versions.created_at IS 'When the version was written';

--
-- Name: COLUMN opportunity_versions.parents; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.opportunity_versions.parents IS 'The versions that this one was merged or restored from; null for other changes';

--
-- Name: COLUMN opportunity_versions.board_id; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.opportunity_versions.board_id IS 'Board of the row in that version';

--
-- Name: partition_xid; Type: SEQUENCE; Schema: feed; Owner: feed_owner
--

CREATE SEQUENCE feed.partition_xid
    START WITH 0
    INCREMENT BY 1
    MINVALUE 0
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE feed.partition_xid OWNER TO feed_owner;

--
-- Name: SEQUENCE partition_xid; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON SEQUENCE feed.partition_xid IS 'Transactions with this ID or a later one do not write to partitions before feed.partition_number. The largest bigint means that the ID is not known yet, so readers search all partitions.';

--
-- Name: stage_changes; Type: TABLE; Schema: feed; Owner: feed_owner
--

CREATE TABLE feed.stage_changes (
    board_id text NOT NULL,
    opportunity_id text NOT NULL,
    seq bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    from_phase text,
    to_phase text
);

ALTER TABLE feed.stage_changes OWNER TO feed_owner;

--
-- Name: TABLE stage_changes; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON TABLE feed.stage_changes IS 'Each change of the stage of an opportunity, copied from feed.log by feed.read_stage_changes. Not pruned with the log.';

--
-- Name: COLUMN stage_changes.board_id; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.stage_changes.board_id IS 'The board';

--
-- Name: COLUMN stage_changes.opportunity_id; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.stage_changes.opportunity_id IS 'The opportunity, as feed.log.key';

--
-- Name: COLUMN stage_changes.seq; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.stage_changes.seq IS 'feed.log.seq of the change; 0: the opportunity was there when its table was attached';

--
-- Name: COLUMN stage_changes.at; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.stage_changes.at IS 'feed.log.at of the change';

--
-- Name: COLUMN stage_changes.from_phase; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.stage_changes.from_phase IS 'The stage before it; null: it was not on the board';

--
-- Name: COLUMN stage_changes.to_phase; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.stage_changes.to_phase IS 'The stage after it; null: it is no longer on the board';

--
-- Name: stage_reader; Type: TABLE; Schema: feed; Owner: feed_owner
--

CREATE TABLE feed.stage_reader (
    one boolean DEFAULT true NOT NULL,
    "position" pg_snapshot DEFAULT '3:3:'::pg_snapshot NOT NULL,
    first_partition bigint DEFAULT 1 NOT NULL,
    has_start boolean DEFAULT false NOT NULL,
    CONSTRAINT stage_reader_one CHECK (one)
);

ALTER TABLE feed.stage_reader OWNER TO feed_owner;

--
-- Name: TABLE stage_reader; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON TABLE feed.stage_reader IS 'How far feed.read_stage_changes has read the log. One row.';

--
-- Name: COLUMN stage_reader.one; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.stage_reader.one IS 'Always true: the table has one row';

--
-- Name: COLUMN stage_reader."position"; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.stage_reader."position" IS 'What it has read: the transactions that this snapshot shows';

--
-- Name: COLUMN stage_reader.first_partition; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.stage_reader.first_partition IS 'feed.identity.first_partition as it was then: if it has changed, the position means nothing';

--
-- Name: COLUMN stage_reader.has_start; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.stage_reader.has_start IS 'Whether feed.stage_changes has the opportunities that were there when their table was attached';

--
-- Name: tickets; Type: TABLE; Schema: feed; Owner: feed_owner
--

CREATE UNLOGGED TABLE feed.tickets (
    hash text NOT NULL,
    user_id text NOT NULL,
    name text NOT NULL,
    roles jsonb NOT NULL,
    session_expires timestamp with time zone NOT NULL,
    expires timestamp with time zone NOT NULL
);

ALTER TABLE feed.tickets OWNER TO feed_owner;

--
-- Name: TABLE tickets; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON TABLE feed.tickets IS 'Single-use tickets for EventSource, which cannot send an Authorization header.';

--
-- Name: COLUMN tickets.hash; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.tickets.hash IS 'SHA-256 of the ticket';

--
-- Name: COLUMN tickets.user_id; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.tickets.user_id IS 'User to whom the ticket was issued';

--
-- Name: COLUMN tickets.name; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.tickets.name IS 'Name of the user';

--
-- Name: COLUMN tickets.roles; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.tickets.roles IS 'Roles from the user''s token, such as dba';

--
-- Name: COLUMN tickets.session_expires; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.tickets.session_expires IS 'When the token that was exchanged for the ticket expires';

--
-- Name: COLUMN tickets.expires; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.tickets.expires IS 'When the ticket expires';

--
-- Name: opportunities; Type: TABLE; Schema: public; Owner: boardcast
--

CREATE TABLE public.opportunities (
    id text DEFAULT (gen_random_uuid())::text NOT NULL,
    notes text,
    phase text DEFAULT ''::text NOT NULL,
    title text DEFAULT ''::text NOT NULL,
    value numeric(14,2),
    company text,
    contact text,
    board_id text DEFAULT 'main'::text NOT NULL,
    currency text DEFAULT 'BRL'::text NOT NULL,
    owner_id text,
    "position" text DEFAULT 'a0'::text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    probability integer,
    last_sync_at timestamp with time zone DEFAULT now() NOT NULL,
    version_number integer DEFAULT 1 NOT NULL,
    last_modified_by text,
    expected_close_date date
);

ALTER TABLE public.opportunities OWNER TO boardcast;

--
-- Name: opportunity_versions; Type: VIEW; Schema: public; Owner: boardcast
--

CREATE VIEW public.opportunity_versions AS
 SELECT id,
    opportunity_id,
    version_number,
    data,
    created_by,
    created_at,
    parents,
    board_id
   FROM feed.opportunity_versions;

ALTER VIEW public.opportunity_versions OWNER TO boardcast;

--
-- Name: VIEW opportunity_versions; Type: COMMENT; Schema: public; Owner: boardcast
--

COMMENT ON VIEW public.opportunity_versions IS 'The same as feed.opportunity_versions.';

--
-- Name: users; Type: TABLE; Schema: public; Owner: boardcast
--

CREATE TABLE public.users (
    id text NOT NULL,
    name text,
    email text
);

ALTER TABLE public.users OWNER TO boardcast;

--
-- Name: log_1; Type: TABLE ATTACH; Schema: feed; Owner: feed_owner
--

ALTER TABLE ONLY feed.log ATTACH PARTITION feed.log_1 FOR VALUES FROM ('1') TO ('2');

--
-- Name: log_2; Type: TABLE ATTACH; Schema: feed; Owner: feed_owner
--

ALTER TABLE ONLY feed.log ATTACH PARTITION feed.log_2 FOR VALUES FROM ('2') TO ('3');

--
-- Name: log_default; Type: TABLE ATTACH; Schema: feed; Owner: feed_owner
--

ALTER TABLE ONLY feed.log ATTACH PARTITION feed.log_default DEFAULT;

--
-- Name: adopted adopted_pkey; Type: CONSTRAINT; Schema: feed; Owner: feed_owner
--

ALTER TABLE ONLY feed.adopted
    ADD CONSTRAINT adopted_pkey PRIMARY KEY (role);

--
-- Name: alembic_version alembic_version_pkc; Type: CONSTRAINT; Schema: feed; Owner: feed_owner
--

ALTER TABLE ONLY feed.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);

--
-- Name: attached attached_name; Type: CONSTRAINT; Schema: feed; Owner: feed_owner
--

ALTER TABLE ONLY feed.attached
    ADD CONSTRAINT attached_name UNIQUE (schema_name, table_name);

--
-- Name: attached attached_pkey; Type: CONSTRAINT; Schema: feed; Owner: feed_owner
--

ALTER TABLE ONLY feed.attached
    ADD CONSTRAINT attached_pkey PRIMARY KEY (relation);

--
-- Name: board_members board_members_pkey; Type: CONSTRAINT; Schema: feed; Owner: feed_owner
--

ALTER TABLE ONLY feed.board_members
    ADD CONSTRAINT board_members_pkey PRIMARY KEY (board_id, user_id);

--
-- Name: boards boards_pkey; Type: CONSTRAINT; Schema: feed; Owner: feed_owner
--

ALTER TABLE ONLY feed.boards
    ADD CONSTRAINT boards_pkey PRIMARY KEY (id);

--
-- Name: flags flags_pkey; Type: CONSTRAINT; Schema: feed; Owner: feed_owner
--

ALTER TABLE ONLY feed.flags
    ADD CONSTRAINT flags_pkey PRIMARY KEY (flag, scope, user_id);

--
-- Name: identity identity_pkey; Type: CONSTRAINT; Schema: feed; Owner: feed_owner
--

ALTER TABLE ONLY feed.identity
    ADD CONSTRAINT identity_pkey PRIMARY KEY (one);

--
-- Name: instances instances_pkey; Type: CONSTRAINT; Schema: feed; Owner: feed_owner
--

ALTER TABLE ONLY feed.instances
    ADD CONSTRAINT instances_pkey PRIMARY KEY (instance);

--
-- Name: log log_pkey; Type: CONSTRAINT; Schema: feed; Owner: feed_owner
--

ALTER TABLE ONLY feed.log
    ADD CONSTRAINT log_pkey PRIMARY KEY (seq, partition_number);

--
-- Name: log_1 log_1_pkey; Type: CONSTRAINT; Schema: feed; Owner: feed_owner
--

ALTER TABLE ONLY feed.log_1
    ADD CONSTRAINT log_1_pkey PRIMARY KEY (seq, partition_number);

--
-- Name: log_2 log_2_pkey; Type: CONSTRAINT; Schema: feed; Owner: feed_owner
--

ALTER TABLE ONLY feed.log_2
    ADD CONSTRAINT log_2_pkey PRIMARY KEY (seq, partition_number);

--
-- Name: log_default log_default_pkey; Type: CONSTRAINT; Schema: feed; Owner: feed_owner
--

ALTER TABLE ONLY feed.log_default
    ADD CONSTRAINT log_default_pkey PRIMARY KEY (seq, partition_number);

--
-- Name: maintenance maintenance_pkey; Type: CONSTRAINT; Schema: feed; Owner: feed_owner
--

ALTER TABLE ONLY feed.maintenance
    ADD CONSTRAINT maintenance_pkey PRIMARY KEY (one);

--
-- Name: opportunity_details opportunity_details_pkey; Type: CONSTRAINT; Schema: feed; Owner: feed_owner
--

ALTER TABLE ONLY feed.opportunity_details
    ADD CONSTRAINT opportunity_details_pkey PRIMARY KEY (opportunity_id);

--
-- Name: pacer pacer_pkey; Type: CONSTRAINT; Schema: feed; Owner: feed_owner
--

ALTER TABLE ONLY feed.pacer
    ADD CONSTRAINT pacer_pkey PRIMARY KEY (one);

--
-- Name: seals seals_pkey; Type: CONSTRAINT; Schema: feed; Owner: feed_owner
--

ALTER TABLE ONLY feed.seals
    ADD CONSTRAINT seals_pkey PRIMARY KEY (number);

--
-- Name: stage_changes stage_changes_pkey; Type: CONSTRAINT; Schema: feed; Owner: feed_owner
--

ALTER TABLE ONLY feed.stage_changes
    ADD CONSTRAINT stage_changes_pkey PRIMARY KEY (board_id, opportunity_id, seq) INCLUDE (at, from_phase, to_phase);

--
-- Name: stage_reader stage_reader_pkey; Type: CONSTRAINT; Schema: feed; Owner: feed_owner
--

ALTER TABLE ONLY feed.stage_reader
    ADD CONSTRAINT stage_reader_pkey PRIMARY KEY (one);

--
-- Name: tickets tickets_pkey; Type: CONSTRAINT; Schema: feed; Owner: feed_owner
--

ALTER TABLE ONLY feed.tickets
    ADD CONSTRAINT tickets_pkey PRIMARY KEY (hash);

--
-- Name: user_presence user_presence_pkey; Type: CONSTRAINT; Schema: feed; Owner: feed_owner
--

ALTER TABLE ONLY feed.user_presence
    ADD CONSTRAINT user_presence_pkey PRIMARY KEY (id);

--
-- Name: opportunities opportunities_pkey; Type: CONSTRAINT; Schema: public; Owner: boardcast
--

ALTER TABLE ONLY public.opportunities
    ADD CONSTRAINT opportunities_pkey PRIMARY KEY (id);

--
-- Name: users users_pkey; Type: CONSTRAINT; Schema: public; Owner: boardcast
--

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);

--
-- Name: board_members_user_id; Type: INDEX; Schema: feed; Owner: feed_owner
--

CREATE INDEX board_members_user_id ON feed.board_members USING btree (user_id);

--
-- Name: delivery_journal_delivered; Type: INDEX; Schema: feed; Owner: feed_owner
--

CREATE INDEX delivery_journal_delivered ON feed.delivery_journal USING btree (delivered_at);

--
-- Name: gap_reports_at; Type: INDEX; Schema: feed; Owner: feed_owner
--

CREATE INDEX gap_reports_at ON feed.gap_reports USING btree (at);

--
-- Name: log_key; Type: INDEX; Schema: feed; Owner: feed_owner
--

CREATE INDEX log_key ON ONLY feed.log USING btree (relation, key, seq);

--
-- Name: log_1_relation_key_seq_idx; Type: INDEX; Schema: feed; Owner: feed_owner
--

CREATE INDEX log_1_relation_key_seq_idx ON feed.log_1 USING btree (relation, key, seq);

--
-- Name: log_xid; Type: INDEX; Schema: feed; Owner: feed_owner
--

CREATE INDEX log_xid ON ONLY feed.log USING btree (xid, partition_number);

--
-- Name: log_1_xid_partition_number_idx; Type: INDEX; Schema: feed; Owner: feed_owner
--

CREATE INDEX log_1_xid_partition_number_idx ON feed.log_1 USING btree (xid, partition_number);

--
-- Name: log_2_relation_key_seq_idx; Type: INDEX; Schema: feed; Owner: feed_owner
--

CREATE INDEX log_2_relation_key_seq_idx ON feed.log_2 USING btree (relation, key, seq);

--
-- Name: log_2_xid_partition_number_idx; Type: INDEX; Schema: feed; Owner: feed_owner
--

CREATE INDEX log_2_xid_partition_number_idx ON feed.log_2 USING btree (xid, partition_number);

--
-- Name: log_default_relation_key_seq_idx; Type: INDEX; Schema: feed; Owner: feed_owner
--

CREATE INDEX log_default_relation_key_seq_idx ON feed.log_default USING btree (relation, key, seq);

--
-- Name: log_default_xid_partition_number_idx; Type: INDEX; Schema: feed; Owner: feed_owner
--

CREATE INDEX log_default_xid_partition_number_idx ON feed.log_default USING btree (xid, partition_number);

--
-- Name: opportunity_details_board_id; Type: INDEX; Schema: feed; Owner: feed_owner
--

CREATE INDEX opportunity_details_board_id ON feed.opportunity_details USING btree (board_id);

--
-- Name: user_presence_opportunity_id; Type: INDEX; Schema: feed; Owner: feed_owner
--

CREATE INDEX user_presence_opportunity_id ON feed.user_presence USING btree (opportunity_id);

--
-- Name: user_presence_user_id; Type: INDEX; Schema: feed; Owner: feed_owner
--

CREATE INDEX user_presence_user_id ON feed.user_presence USING btree (user_id);

--
-- Name: feed_opportunities_board_id; Type: INDEX; Schema: public; Owner: boardcast
--

CREATE INDEX feed_opportunities_board_id ON public.opportunities USING btree (board_id);

--
-- Name: log_1_pkey; Type: INDEX ATTACH; Schema: feed; Owner: feed_owner
--

ALTER INDEX feed.log_pkey ATTACH PARTITION feed.log_1_pkey;

--
-- Name: log_1_relation_key_seq_idx; Type: INDEX ATTACH; Schema: feed; Owner: feed_owner
--

ALTER INDEX feed.log_key ATTACH PARTITION feed.log_1_relation_key_seq_idx;

--
-- Name: log_1_xid_partition_number_idx; Type: INDEX ATTACH; Schema: feed; Owner: feed_owner
--

ALTER INDEX feed.log_xid ATTACH PARTITION feed.log_1_xid_partition_number_idx;

--
-- Name: log_2_pkey; Type: INDEX ATTACH; Schema: feed; Owner: feed_owner
--

ALTER INDEX feed.log_pkey ATTACH PARTITION feed.log_2_pkey;

--
-- Name: log_2_relation_key_seq_idx; Type: INDEX ATTACH; Schema: feed; Owner: feed_owner
--

ALTER INDEX feed.log_key ATTACH PARTITION feed.log_2_relation_key_seq_idx;

--
-- Name: log_2_xid_partition_number_idx; Type: INDEX ATTACH; Schema: feed; Owner: feed_owner
--

ALTER INDEX feed.log_xid ATTACH PARTITION feed.log_2_xid_partition_number_idx;

--
-- Name: log_default_pkey; Type: INDEX ATTACH; Schema: feed; Owner: feed_owner
--

ALTER INDEX feed.log_pkey ATTACH PARTITION feed.log_default_pkey;

--
-- Name: log_default_relation_key_seq_idx; Type: INDEX ATTACH; Schema: feed; Owner: feed_owner
--

ALTER INDEX feed.log_key ATTACH PARTITION feed.log_default_relation_key_seq_idx;

--
-- Name: log_default_xid_partition_number_idx; Type: INDEX ATTACH; Schema: feed; Owner: feed_owner
--

ALTER INDEX feed.log_xid ATTACH PARTITION feed.log_default_xid_partition_number_idx;

--
-- Name: boards board_version; Type: TRIGGER; Schema: feed; Owner: feed_owner
--

CREATE TRIGGER board_version BEFORE UPDATE ON feed.boards FOR EACH ROW EXECUTE FUNCTION feed.version_board();

--
-- Name: board_members feed_begin; Type: TRIGGER; Schema: feed; Owner: feed_owner
--

CREATE TRIGGER feed_begin BEFORE INSERT OR DELETE OR UPDATE ON feed.board_members FOR EACH STATEMENT EXECUTE FUNCTION feed.begin_statement();

--
-- Name: boards feed_begin; Type: TRIGGER; Schema: feed; Owner: feed_owner
--

CREATE TRIGGER feed_begin BEFORE INSERT OR DELETE OR UPDATE ON feed.boards FOR EACH STATEMENT EXECUTE FUNCTION feed.begin_statement();

--
-- Name: flags feed_begin; Type: TRIGGER; Schema: feed; Owner: feed_owner
--

CREATE TRIGGER feed_begin BEFORE INSERT OR DELETE OR UPDATE ON feed.flags FOR EACH STATEMENT EXECUTE FUNCTION feed.begin_statement();

--
-- Name: opportunity_details feed_begin; Type: TRIGGER; Schema: feed; Owner: feed_owner
--

CREATE TRIGGER feed_begin BEFORE INSERT OR DELETE OR UPDATE ON feed.opportunity_details FOR EACH STATEMENT EXECUTE FUNCTION feed.begin_statement();

--
-- Name: board_members feed_capture_delete; Type: TRIGGER; Schema: feed; Owner: feed_owner
--

CREATE TRIGGER feed_capture_delete AFTER DELETE ON feed.board_members REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION feed.capture('', 'board_id', '', 'board_id', 'user_id');

--
-- Name: boards feed_capture_delete; Type: TRIGGER; Schema: feed; Owner: feed_owner
--

CREATE TRIGGER feed_capture_delete AFTER DELETE ON feed.boards REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION feed.capture('', 'id', 'id');

--
-- Name: flags feed_capture_delete; Type: TRIGGER; Schema: feed; Owner: feed_owner
--

CREATE TRIGGER feed_capture_delete AFTER DELETE ON feed.flags REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION feed.capture('', '', '', 'flag', 'scope', 'user_id');

--
-- Name: opportunity_details feed_capture_delete; Type: TRIGGER; Schema: feed; Owner: feed_owner
--

CREATE TRIGGER feed_capture_delete AFTER DELETE ON feed.opportunity_details REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION feed.capture('', 'board_id', 'opportunity_id');

--
-- Name: board_members feed_capture_insert; Type: TRIGGER; Schema: feed; Owner: feed_owner
--

CREATE TRIGGER feed_capture_insert AFTER INSERT ON feed.board_members REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION feed.capture('', 'board_id', '', 'board_id', 'user_id');

--
-- Name: boards feed_capture_insert; Type: TRIGGER; Schema: feed; Owner: feed_owner
--

CREATE TRIGGER feed_capture_insert AFTER INSERT ON feed.boards REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION feed.capture('', 'id', 'id');

--
-- Name: flags feed_capture_insert; Type: TRIGGER; Schema: feed; Owner: feed_owner
--

CREATE TRIGGER feed_capture_insert AFTER INSERT ON feed.flags REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION feed.capture('', '', '', 'flag', 'scope', 'user_id');

--
-- Name: opportunity_details feed_capture_insert; Type: TRIGGER; Schema: feed; Owner: feed_owner
--

CREATE TRIGGER feed_capture_insert AFTER INSERT ON feed.opportunity_details REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION feed.capture('', 'board_id', 'opportunity_id');

--
-- Name: board_members feed_capture_truncate; Type: TRIGGER; Schema: feed; Owner: feed_owner
--

CREATE TRIGGER feed_capture_truncate AFTER TRUNCATE ON feed.board_members FOR EACH STATEMENT EXECUTE FUNCTION feed.capture('', 'board_id', '', 'board_id', 'user_id');

--
-- Name: boards feed_capture_truncate; Type: TRIGGER; Schema: feed; Owner: feed_owner
--

CREATE TRIGGER feed_capture_truncate AFTER TRUNCATE ON feed.boards FOR EACH STATEMENT EXECUTE FUNCTION feed.capture('', 'id', 'id');

--
-- Name: flags feed_capture_truncate; Type: TRIGGER; Schema: feed; Owner: feed_owner
--

CREATE TRIGGER feed_capture_truncate AFTER TRUNCATE ON feed.flags FOR EACH STATEMENT EXECUTE FUNCTION feed.capture('', '', '', 'flag', 'scope', 'user_id');

--
-- Name: opportunity_details feed_capture_truncate; Type: TRIGGER; Schema: feed; Owner: feed_owner
--

CREATE TRIGGER feed_capture_truncate AFTER TRUNCATE ON feed.opportunity_details FOR EACH STATEMENT EXECUTE FUNCTION feed.capture('', 'board_id', 'opportunity_id');

--
-- Name: board_members feed_capture_update; Type: TRIGGER; Schema: feed; Owner: feed_owner
--

CREATE TRIGGER feed_capture_update AFTER UPDATE ON feed.board_members REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION feed.capture('', 'board_id', '', 'board_id', 'user_id');

--
-- Name: boards feed_capture_update; Type: TRIGGER; Schema: feed; Owner: feed_owner
--

CREATE TRIGGER feed_capture_update AFTER UPDATE ON feed.boards REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION feed.capture('', 'id', 'id');

--
-- Name: flags feed_capture_update; Type: TRIGGER; Schema: feed; Owner: feed_owner
--

CREATE TRIGGER feed_capture_update AFTER UPDATE ON feed.flags REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION feed.capture('', '', '', 'flag', 'scope', 'user_id');

--
-- Name: opportunity_details feed_capture_update; Type: TRIGGER; Schema: feed; Owner: feed_owner
--

CREATE TRIGGER feed_capture_update AFTER UPDATE ON feed.opportunity_details REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION feed.capture('', 'board_id', 'opportunity_id');

--
-- Name: pacer feed_mute_notify; Type: TRIGGER; Schema: feed; Owner: feed_owner
--

CREATE CONSTRAINT TRIGGER feed_mute_notify AFTER UPDATE OF muted ON feed.pacer DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION feed.mute_notify();

--
-- Name: user_presence feed_presence; Type: TRIGGER; Schema: feed; Owner: feed_owner
--

CREATE TRIGGER feed_presence AFTER INSERT OR DELETE ON feed.user_presence FOR EACH ROW EXECUTE FUNCTION feed.notify_presence();

--
-- Name: user_presence feed_presence_changed; Type: TRIGGER; Schema: feed; Owner: feed_owner
--

CREATE TRIGGER feed_presence_changed AFTER UPDATE ON feed.user_presence FOR EACH ROW WHEN (((old.action IS DISTINCT FROM new.action) OR (old.base_version IS DISTINCT FROM new.base_version))) EXECUTE FUNCTION feed.notify_presence();

--
-- Name: opportunity_details opportunity_details_version; Type: TRIGGER; Schema: feed; Owner: feed_owner
--

CREATE TRIGGER opportunity_details_version BEFORE UPDATE ON feed.opportunity_details FOR EACH ROW EXECUTE FUNCTION feed.version_board();

--
-- Name: opportunities feed_begin; Type: TRIGGER; Schema: public; Owner: boardcast
--

CREATE TRIGGER feed_begin BEFORE INSERT OR DELETE OR UPDATE ON public.opportunities FOR EACH STATEMENT EXECUTE FUNCTION feed.begin_statement();

--
-- Name: opportunities feed_capture_delete; Type: TRIGGER; Schema: public; Owner: boardcast
--

CREATE TRIGGER feed_capture_delete AFTER DELETE ON public.opportunities REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION feed.capture('opportunities', 'board_id', 'id');

--
-- Name: opportunities feed_capture_insert; Type: TRIGGER; Schema: public; Owner: boardcast
--

CREATE TRIGGER feed_capture_insert AFTER INSERT ON public.opportunities REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION feed.capture('opportunities', 'board_id', 'id');

--
-- Name: opportunities feed_capture_truncate; Type: TRIGGER; Schema: public; Owner: boardcast
--

CREATE TRIGGER feed_capture_truncate AFTER TRUNCATE ON public.opportunities FOR EACH STATEMENT EXECUTE FUNCTION feed.capture('opportunities', 'board_id', 'id');

--
-- Name: opportunities feed_capture_update; Type: TRIGGER; Schema: public; Owner: boardcast
--

CREATE TRIGGER feed_capture_update AFTER UPDATE ON public.opportunities REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION feed.capture('opportunities', 'board_id', 'id');

--
-- Name: users feed_forget_all_users; Type: TRIGGER; Schema: public; Owner: boardcast
--

CREATE TRIGGER feed_forget_all_users AFTER TRUNCATE ON public.users FOR EACH STATEMENT EXECUTE FUNCTION feed.forget_users();

--
-- Name: users feed_forget_users; Type: TRIGGER; Schema: public; Owner: boardcast
--

CREATE TRIGGER feed_forget_users AFTER DELETE ON public.users REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION feed.forget_users('id');

--
-- Name: opportunities zz_feed_version; Type: TRIGGER; Schema: public; Owner: boardcast
--

CREATE TRIGGER zz_feed_version BEFORE UPDATE ON public.opportunities FOR EACH ROW EXECUTE FUNCTION feed.version_opportunity('last_sync_at');

--
-- Name: board_members board_members_board_id_fkey; Type: FK CONSTRAINT; Schema: feed; Owner: feed_owner
--

ALTER TABLE ONLY feed.board_members
    ADD CONSTRAINT board_members_board_id_fkey FOREIGN KEY (board_id) REFERENCES feed.boards(id) ON DELETE CASCADE;

--
-- Name: opportunity_details opportunity_details_board_id_fkey; Type: FK CONSTRAINT; Schema: feed; Owner: feed_owner
--

ALTER TABLE ONLY feed.opportunity_details
    ADD CONSTRAINT opportunity_details_board_id_fkey FOREIGN KEY (board_id) REFERENCES feed.boards(id) ON DELETE CASCADE;

--
-- Name: opportunities opportunities_board_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: boardcast
--

ALTER TABLE ONLY public.opportunities
    ADD CONSTRAINT opportunities_board_id_fkey FOREIGN KEY (board_id) REFERENCES feed.boards(id) ON DELETE CASCADE;

--
-- Name: SCHEMA feed; Type: ACL; Schema: -; Owner: feed_owner
--

GRANT USAGE ON SCHEMA feed TO feed_app;
GRANT USAGE ON SCHEMA feed TO feed_listener;
GRANT USAGE ON SCHEMA feed TO feed_dba;

--
-- Name: FUNCTION adopt(target text, columns jsonb, users text, user_columns jsonb); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.adopt(target text, columns jsonb, users text, user_columns jsonb) FROM PUBLIC;

--
-- Name: FUNCTION adopt_again(target regclass, before jsonb, board_column text); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.adopt_again(target regclass, before jsonb, board_column text) FROM PUBLIC;

--
-- Name: FUNCTION adopt_table(target text, columns jsonb, users text, user_columns jsonb); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.adopt_table(target text, columns jsonb, users text, user_columns jsonb) FROM PUBLIC;

--
-- Name: FUNCTION adoption_obstacles(target text, columns jsonb, users text, user_columns jsonb); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.adoption_obstacles(target text, columns jsonb, users text, user_columns jsonb) FROM PUBLIC;

--
-- Name: FUNCTION all_partitions(target oid); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.all_partitions(target oid) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.all_partitions(target oid) TO feed_app;
GRANT ALL ON FUNCTION feed.all_partitions(target oid) TO feed_dba;

--
-- Name: FUNCTION application_table(name text); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.application_table(name text) FROM PUBLIC;

--
-- Name: FUNCTION application_tables(); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.application_tables() FROM PUBLIC;

--
-- Name: FUNCTION attach(target regclass, key text, board text, exclude text[]); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.attach(target regclass, key text, board text, exclude text[]) FROM PUBLIC;

--
-- Name: FUNCTION attach_command(target text, key text[], board text, excluded text[]); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.attach_command(target text, key text[], board text, excluded text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.attach_command(target text, key text[], board text, excluded text[]) TO feed_app;
GRANT ALL ON FUNCTION feed.attach_command(target text, key text[], board text, excluded text[]) TO feed_dba;

--
-- Name: FUNCTION begin_statement(); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.begin_statement() FROM PUBLIC;

--
-- Name: FUNCTION board_index(); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.board_index() FROM PUBLIC;
GRANT ALL ON FUNCTION feed.board_index() TO feed_app;
GRANT ALL ON FUNCTION feed.board_index() TO feed_listener;
GRANT ALL ON FUNCTION feed.board_index() TO feed_dba;

--
-- Name: FUNCTION capture(); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.capture() FROM PUBLIC;

--
-- Name: TABLE opportunity_details; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT ON TABLE feed.opportunity_details TO feed_app;
GRANT SELECT ON TABLE feed.opportunity_details TO feed_dba;
GRANT SELECT ON TABLE feed.opportunity_details TO feed_listener;

--
-- Name: COLUMN opportunity_details.opportunity_id; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT INSERT(opportunity_id),UPDATE(opportunity_id) ON TABLE feed.opportunity_details TO feed_app;
GRANT INSERT(opportunity_id),UPDATE(opportunity_id) ON TABLE feed.opportunity_details TO feed_listener;

--
-- Name: COLUMN opportunity_details.board_id; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT INSERT(board_id),UPDATE(board_id) ON TABLE feed.opportunity_details TO feed_app;
GRANT INSERT(board_id),UPDATE(board_id) ON TABLE feed.opportunity_details TO feed_listener;

--
-- Name: COLUMN opportunity_details.closed_phase; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT INSERT(closed_phase),UPDATE(closed_phase) ON TABLE feed.opportunity_details TO feed_app;
GRANT INSERT(closed_phase),UPDATE(closed_phase) ON TABLE feed.opportunity_details TO feed_listener;

--
-- Name: COLUMN opportunity_details.closed_at; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT INSERT(closed_at),UPDATE(closed_at) ON TABLE feed.opportunity_details TO feed_app;
GRANT INSERT(closed_at),UPDATE(closed_at) ON TABLE feed.opportunity_details TO feed_listener;

--
-- Name: COLUMN opportunity_details.close_reason; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT INSERT(close_reason),UPDATE(close_reason) ON TABLE feed.opportunity_details TO feed_app;
GRANT INSERT(close_reason),UPDATE(close_reason) ON TABLE feed.opportunity_details TO feed_listener;

--
-- Name: COLUMN opportunity_details.next_activity; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT INSERT(next_activity),UPDATE(next_activity) ON TABLE feed.opportunity_details TO feed_app;
GRANT INSERT(next_activity),UPDATE(next_activity) ON TABLE feed.opportunity_details TO feed_listener;

--
-- Name: COLUMN opportunity_details.next_activity_date; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT INSERT(next_activity_date),UPDATE(next_activity_date) ON TABLE feed.opportunity_details TO feed_app;
GRANT INSERT(next_activity_date),UPDATE(next_activity_date) ON TABLE feed.opportunity_details TO feed_listener;

--
-- Name: FUNCTION card_details(opportunity text); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.card_details(opportunity text) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.card_details(opportunity text) TO feed_app;
GRANT ALL ON FUNCTION feed.card_details(opportunity text) TO feed_listener;
GRANT ALL ON FUNCTION feed.card_details(opportunity text) TO feed_dba;

--
-- Name: FUNCTION card_image(image jsonb, names jsonb); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.card_image(image jsonb, names jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.card_image(image jsonb, names jsonb) TO feed_app;
GRANT ALL ON FUNCTION feed.card_image(image jsonb, names jsonb) TO feed_listener;
GRANT ALL ON FUNCTION feed.card_image(image jsonb, names jsonb) TO feed_dba;

--
-- Name: FUNCTION field_names(); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.field_names() FROM PUBLIC;
GRANT ALL ON FUNCTION feed.field_names() TO feed_app;
GRANT ALL ON FUNCTION feed.field_names() TO feed_listener;
GRANT ALL ON FUNCTION feed.field_names() TO feed_dba;

--
-- Name: TABLE adopted; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT ON TABLE feed.adopted TO feed_app;
GRANT SELECT ON TABLE feed.adopted TO feed_dba;
GRANT SELECT ON TABLE feed.adopted TO feed_listener;

--
-- Name: FUNCTION card_names(); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.card_names() FROM PUBLIC;
GRANT ALL ON FUNCTION feed.card_names() TO feed_app;
GRANT ALL ON FUNCTION feed.card_names() TO feed_listener;
GRANT ALL ON FUNCTION feed.card_names() TO feed_dba;

--
-- Name: FUNCTION card_obstacles(target regclass, columns jsonb); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.card_obstacles(target regclass, columns jsonb) FROM PUBLIC;

--
-- Name: FUNCTION changed_columns(before jsonb, after jsonb); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.changed_columns(before jsonb, after jsonb) FROM PUBLIC;

--
-- Name: FUNCTION changes(before jsonb, after jsonb); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.changes(before jsonb, after jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.changes(before jsonb, after jsonb) TO feed_app;
GRANT ALL ON FUNCTION feed.changes(before jsonb, after jsonb) TO feed_listener;
GRANT ALL ON FUNCTION feed.changes(before jsonb, after jsonb) TO feed_dba;

--
-- Name: SEQUENCE log_seq; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT ON SEQUENCE feed.log_seq TO feed_app;
GRANT SELECT ON SEQUENCE feed.log_seq TO feed_dba;

--
-- Name: SEQUENCE partition_number; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT ON SEQUENCE feed.partition_number TO feed_app;
GRANT SELECT ON SEQUENCE feed.partition_number TO feed_listener;
GRANT SELECT ON SEQUENCE feed.partition_number TO feed_dba;

--
-- Name: TABLE log; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT ON TABLE feed.log TO feed_app;
GRANT SELECT ON TABLE feed.log TO feed_dba;
GRANT SELECT ON TABLE feed.log TO feed_listener;

--
-- Name: FUNCTION changes_since(since_xmax xid8, since_xip xid8[], until_xmax xid8, until_xip xid8[]); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.changes_since(since_xmax xid8, since_xip xid8[], until_xmax xid8, until_xip xid8[]) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.changes_since(since_xmax xid8, since_xip xid8[], until_xmax xid8, until_xip xid8[]) TO feed_app;
GRANT ALL ON FUNCTION feed.changes_since(since_xmax xid8, since_xip xid8[], until_xmax xid8, until_xip xid8[]) TO feed_listener;
GRANT ALL ON FUNCTION feed.changes_since(since_xmax xid8, since_xip xid8[], until_xmax xid8, until_xip xid8[]) TO feed_dba;

--
-- Name: FUNCTION checkpoint(board text, cursor text, OUT count bigint, OUT hash text); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.checkpoint(board text, cursor text, OUT count bigint, OUT hash text) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.checkpoint(board text, cursor text, OUT count bigint, OUT hash text) TO feed_app;
GRANT ALL ON FUNCTION feed.checkpoint(board text, cursor text, OUT count bigint, OUT hash text) TO feed_dba;

--
-- Name: FUNCTION checkpoint_seen(board text, cursor text, OUT count bigint, OUT hash text); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.checkpoint_seen(board text, cursor text, OUT count bigint, OUT hash text) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.checkpoint_seen(board text, cursor text, OUT count bigint, OUT hash text) TO feed_app;
GRANT ALL ON FUNCTION feed.checkpoint_seen(board text, cursor text, OUT count bigint, OUT hash text) TO feed_listener;
GRANT ALL ON FUNCTION feed.checkpoint_seen(board text, cursor text, OUT count bigint, OUT hash text) TO feed_dba;

--
-- Name: FUNCTION columns_image(names text[], images jsonb[]); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.columns_image(names text[], images jsonb[]) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.columns_image(names text[], images jsonb[]) TO feed_app;
GRANT ALL ON FUNCTION feed.columns_image(names text[], images jsonb[]) TO feed_listener;
GRANT ALL ON FUNCTION feed.columns_image(names text[], images jsonb[]) TO feed_dba;

--
-- Name: FUNCTION compact_change(target oid, relation text, op text, key text, before jsonb, after jsonb); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.compact_change(target oid, relation text, op text, key text, before jsonb, after jsonb) FROM PUBLIC;

--
-- Name: FUNCTION compact_changes(old jsonb, new jsonb, delta integer); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.compact_changes(old jsonb, new jsonb, delta integer) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.compact_changes(old jsonb, new jsonb, delta integer) TO feed_app;
GRANT ALL ON FUNCTION feed.compact_changes(old jsonb, new jsonb, delta integer) TO feed_listener;
GRANT ALL ON FUNCTION feed.compact_changes(old jsonb, new jsonb, delta integer) TO feed_dba;

--
-- Name: FUNCTION complete_image(relation text, key text, seq bigint); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.complete_image(relation text, key text, seq bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.complete_image(relation text, key text, seq bigint) TO feed_app;
GRANT ALL ON FUNCTION feed.complete_image(relation text, key text, seq bigint) TO feed_listener;
GRANT ALL ON FUNCTION feed.complete_image(relation text, key text, seq bigint) TO feed_dba;

--
-- Name: FUNCTION converts_safely(target regclass); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.converts_safely(target regclass) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.converts_safely(target regclass) TO feed_app;
GRANT ALL ON FUNCTION feed.converts_safely(target regclass) TO feed_listener;
GRANT ALL ON FUNCTION feed.converts_safely(target regclass) TO feed_dba;

--
-- Name: FUNCTION created_partitions(target oid); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.created_partitions(target oid) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.created_partitions(target oid) TO feed_app;
GRANT ALL ON FUNCTION feed.created_partitions(target oid) TO feed_dba;

--
-- Name: FUNCTION current_columns(target regclass, named text[]); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.current_columns(target regclass, named text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.current_columns(target regclass, named text[]) TO feed_app;
GRANT ALL ON FUNCTION feed.current_columns(target regclass, named text[]) TO feed_listener;
GRANT ALL ON FUNCTION feed.current_columns(target regclass, named text[]) TO feed_dba;

--
-- Name: FUNCTION current_partition(); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.current_partition() FROM PUBLIC;
GRANT ALL ON FUNCTION feed.current_partition() TO feed_app;
GRANT ALL ON FUNCTION feed.current_partition() TO feed_listener;
GRANT ALL ON FUNCTION feed.current_partition() TO feed_dba;

--
-- Name: FUNCTION cursor_fault(cursor text); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.cursor_fault(cursor text) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.cursor_fault(cursor text) TO feed_app;
GRANT ALL ON FUNCTION feed.cursor_fault(cursor text) TO feed_listener;
GRANT ALL ON FUNCTION feed.cursor_fault(cursor text) TO feed_dba;

--
-- Name: FUNCTION default_board(); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.default_board() FROM PUBLIC;
GRANT ALL ON FUNCTION feed.default_board() TO feed_app;
GRANT ALL ON FUNCTION feed.default_board() TO feed_listener;
GRANT ALL ON FUNCTION feed.default_board() TO feed_dba;

--
-- Name: FUNCTION detach(target regclass); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.detach(target regclass) FROM PUBLIC;

--
-- Name: FUNCTION display_value(value jsonb); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.display_value(value jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.display_value(value jsonb) TO feed_app;
GRANT ALL ON FUNCTION feed.display_value(value jsonb) TO feed_dba;

--
-- Name: FUNCTION explain(seq bigint); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.explain(seq bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.explain(seq bigint) TO feed_app;
GRANT ALL ON FUNCTION feed.explain(seq bigint) TO feed_dba;

--
-- Name: FUNCTION explain_cursor(cursor text); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.explain_cursor(cursor text) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.explain_cursor(cursor text) TO feed_app;
GRANT ALL ON FUNCTION feed.explain_cursor(cursor text) TO feed_dba;

--
-- Name: FUNCTION fed_columns(target regclass, OUT relation text, OUT board text, OUT row_key text, OUT key_columns text, OUT key_texts text, OUT image text, OUT row_by_key text, OUT seq bigint, OUT key text[], OUT was_empty boolean); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.fed_columns(target regclass, OUT relation text, OUT board text, OUT row_key text, OUT key_columns text, OUT key_texts text, OUT image text, OUT row_by_key text, OUT seq bigint, OUT key text[], OUT was_empty boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.fed_columns(target regclass, OUT relation text, OUT board text, OUT row_key text, OUT key_columns text, OUT key_texts text, OUT image text, OUT row_by_key text, OUT seq bigint, OUT key text[], OUT was_empty boolean) TO feed_app;
GRANT ALL ON FUNCTION feed.fed_columns(target regclass, OUT relation text, OUT board text, OUT row_key text, OUT key_columns text, OUT key_texts text, OUT image text, OUT row_by_key text, OUT seq bigint, OUT key text[], OUT was_empty boolean) TO feed_dba;

--
-- Name: FUNCTION field_columns(); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.field_columns() FROM PUBLIC;
GRANT ALL ON FUNCTION feed.field_columns() TO feed_app;
GRANT ALL ON FUNCTION feed.field_columns() TO feed_listener;
GRANT ALL ON FUNCTION feed.field_columns() TO feed_dba;

--
-- Name: FUNCTION field_obstacles(target regclass, columns jsonb); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.field_obstacles(target regclass, columns jsonb) FROM PUBLIC;

--
-- Name: FUNCTION first_partition_since(first xid8); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.first_partition_since(first xid8) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.first_partition_since(first xid8) TO feed_app;
GRANT ALL ON FUNCTION feed.first_partition_since(first xid8) TO feed_listener;
GRANT ALL ON FUNCTION feed.first_partition_since(first xid8) TO feed_dba;

--
-- Name: FUNCTION forget_users(); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.forget_users() FROM PUBLIC;

--
-- Name: FUNCTION parse_cursor(cursor text, OUT feed_id text, OUT xmax xid8, OUT xip xid8[], OUT anchor bigint, OUT tag text); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.parse_cursor(cursor text, OUT feed_id text, OUT xmax xid8, OUT xip xid8[], OUT anchor bigint, OUT tag text) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.parse_cursor(cursor text, OUT feed_id text, OUT xmax xid8, OUT xip xid8[], OUT anchor bigint, OUT tag text) TO feed_app;
GRANT ALL ON FUNCTION feed.parse_cursor(cursor text, OUT feed_id text, OUT xmax xid8, OUT xip xid8[], OUT anchor bigint, OUT tag text) TO feed_listener;
GRANT ALL ON FUNCTION feed.parse_cursor(cursor text, OUT feed_id text, OUT xmax xid8, OUT xip xid8[], OUT anchor bigint, OUT tag text) TO feed_dba;

--
-- Name: FUNCTION has_seen(cursor text, xid xid8); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.has_seen(cursor text, xid xid8) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.has_seen(cursor text, xid xid8) TO feed_app;
GRANT ALL ON FUNCTION feed.has_seen(cursor text, xid xid8) TO feed_dba;

--
-- Name: FUNCTION hash_changes(partition bigint, after_xid xid8, after_seq bigint, upto_xid xid8, upto_seq bigint, OUT changes bigint, OUT first_seq bigint, OUT last_seq bigint, OUT hash text); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.hash_changes(partition bigint, after_xid xid8, after_seq bigint, upto_xid xid8, upto_seq bigint, OUT changes bigint, OUT first_seq bigint, OUT last_seq bigint, OUT hash text) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.hash_changes(partition bigint, after_xid xid8, after_seq bigint, upto_xid xid8, upto_seq bigint, OUT changes bigint, OUT first_seq bigint, OUT last_seq bigint, OUT hash text) TO feed_app;
GRANT ALL ON FUNCTION feed.hash_changes(partition bigint, after_xid xid8, after_seq bigint, upto_xid xid8, upto_seq bigint, OUT changes bigint, OUT first_seq bigint, OUT last_seq bigint, OUT hash text) TO feed_dba;

--
-- Name: FUNCTION image_after(relation text, key text, seq bigint, op text, old jsonb, new jsonb, delta integer); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.image_after(relation text, key text, seq bigint, op text, old jsonb, new jsonb, delta integer) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.image_after(relation text, key text, seq bigint, op text, old jsonb, new jsonb, delta integer) TO feed_app;
GRANT ALL ON FUNCTION feed.image_after(relation text, key text, seq bigint, op text, old jsonb, new jsonb, delta integer) TO feed_listener;
GRANT ALL ON FUNCTION feed.image_after(relation text, key text, seq bigint, op text, old jsonb, new jsonb, delta integer) TO feed_dba;

--
-- Name: FUNCTION image_before(relation text, key text, seq bigint, op text, old jsonb, new jsonb, delta integer); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.image_before(relation text, key text, seq bigint, op text, old jsonb, new jsonb, delta integer) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.image_before(relation text, key text, seq bigint, op text, old jsonb, new jsonb, delta integer) TO feed_app;
GRANT ALL ON FUNCTION feed.image_before(relation text, key text, seq bigint, op text, old jsonb, new jsonb, delta integer) TO feed_listener;
GRANT ALL ON FUNCTION feed.image_before(relation text, key text, seq bigint, op text, old jsonb, new jsonb, delta integer) TO feed_dba;

--
-- Name: FUNCTION relation_name(relation oid); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.relation_name(relation oid) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.relation_name(relation oid) TO feed_app;
GRANT ALL ON FUNCTION feed.relation_name(relation oid) TO feed_listener;
GRANT ALL ON FUNCTION feed.relation_name(relation oid) TO feed_dba;

--
-- Name: FUNCTION valid_traceparent(traceparent text); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.valid_traceparent(traceparent text) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.valid_traceparent(traceparent text) TO feed_app;
GRANT ALL ON FUNCTION feed.valid_traceparent(traceparent text) TO feed_listener;
GRANT ALL ON FUNCTION feed.valid_traceparent(traceparent text) TO feed_dba;

--
-- Name: TABLE trigger_log; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT ON TABLE feed.trigger_log TO feed_app;
GRANT SELECT ON TABLE feed.trigger_log TO feed_dba;

--
-- Name: FUNCTION history(opportunity text, relation text); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.history(opportunity text, relation text) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.history(opportunity text, relation text) TO feed_app;
GRANT ALL ON FUNCTION feed.history(opportunity text, relation text) TO feed_dba;

--
-- Name: FUNCTION identify(); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.identify() FROM PUBLIC;
GRANT ALL ON FUNCTION feed.identify() TO feed_app;
GRANT ALL ON FUNCTION feed.identify() TO feed_listener;
GRANT ALL ON FUNCTION feed.identify() TO feed_dba;

--
-- Name: FUNCTION inexact_columns(target oid); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.inexact_columns(target oid) FROM PUBLIC;

--
-- Name: FUNCTION json_text(expression text, type oid); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.json_text(expression text, type oid) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.json_text(expression text, type oid) TO feed_app;
GRANT ALL ON FUNCTION feed.json_text(expression text, type oid) TO feed_listener;
GRANT ALL ON FUNCTION feed.json_text(expression text, type oid) TO feed_dba;

--
-- Name: FUNCTION key_obstacles(target regclass, key_columns text[]); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.key_obstacles(target regclass, key_columns text[]) FROM PUBLIC;

--
-- Name: FUNCTION later_triggers(); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.later_triggers() FROM PUBLIC;
GRANT ALL ON FUNCTION feed.later_triggers() TO feed_app;
GRANT ALL ON FUNCTION feed.later_triggers() TO feed_dba;

--
-- Name: FUNCTION lock_tables(targets regclass[], mode text, patience interval); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.lock_tables(targets regclass[], mode text, patience interval) FROM PUBLIC;

--
-- Name: FUNCTION log_change(target oid, relation text, board_column text, key_columns text[], before jsonb, after jsonb, named boolean, nested boolean, sends_notify boolean); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.log_change(target oid, relation text, board_column text, key_columns text[], before jsonb, after jsonb, named boolean, nested boolean, sends_notify boolean) FROM PUBLIC;

--
-- Name: FUNCTION log_partitions(OUT partition regclass, OUT bounds text, OUT first_seq bigint, OUT first_at timestamp with time zone, OUT last_seq bigint, OUT last_at timestamp with time zone); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.log_partitions(OUT partition regclass, OUT bounds text, OUT first_seq bigint, OUT first_at timestamp with time zone, OUT last_seq bigint, OUT last_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.log_partitions(OUT partition regclass, OUT bounds text, OUT first_seq bigint, OUT first_at timestamp with time zone, OUT last_seq bigint, OUT last_at timestamp with time zone) TO feed_app;
GRANT ALL ON FUNCTION feed.log_partitions(OUT partition regclass, OUT bounds text, OUT first_seq bigint, OUT first_at timestamp with time zone, OUT last_seq bigint, OUT last_at timestamp with time zone) TO feed_dba;

--
-- Name: FUNCTION log_reload(relation_name text, why text); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.log_reload(relation_name text, why text) FROM PUBLIC;

--
-- Name: FUNCTION maintain(); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.maintain() FROM PUBLIC;
GRANT ALL ON FUNCTION feed.maintain() TO feed_app;
GRANT ALL ON FUNCTION feed.maintain() TO feed_listener;

--
-- Name: FUNCTION make_partition(number bigint); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.make_partition(number bigint) FROM PUBLIC;

--
-- Name: FUNCTION mapped_column(target regclass, mapping jsonb); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.mapped_column(target regclass, mapping jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.mapped_column(target regclass, mapping jsonb) TO feed_app;
GRANT ALL ON FUNCTION feed.mapped_column(target regclass, mapping jsonb) TO feed_listener;
GRANT ALL ON FUNCTION feed.mapped_column(target regclass, mapping jsonb) TO feed_dba;

--
-- Name: FUNCTION marked_text(image jsonb); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.marked_text(image jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.marked_text(image jsonb) TO feed_app;
GRANT ALL ON FUNCTION feed.marked_text(image jsonb) TO feed_dba;

--
-- Name: FUNCTION matches_any(expression text, type oid, given text); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.matches_any(expression text, type oid, given text) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.matches_any(expression text, type oid, given text) TO feed_app;
GRANT ALL ON FUNCTION feed.matches_any(expression text, type oid, given text) TO feed_listener;
GRANT ALL ON FUNCTION feed.matches_any(expression text, type oid, given text) TO feed_dba;

--
-- Name: FUNCTION mend(); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.mend() FROM PUBLIC;

--
-- Name: FUNCTION mend_boards(); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.mend_boards() FROM PUBLIC;

--
-- Name: FUNCTION mend_columns(); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.mend_columns() FROM PUBLIC;

--
-- Name: FUNCTION mend_former_users(); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.mend_former_users() FROM PUBLIC;

--
-- Name: FUNCTION mend_privileges(); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.mend_privileges() FROM PUBLIC;

--
-- Name: FUNCTION mend_rows(size integer); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.mend_rows(size integer) FROM PUBLIC;

--
-- Name: FUNCTION mend_structure(); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.mend_structure() FROM PUBLIC;

--
-- Name: FUNCTION mend_triggers(); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.mend_triggers() FROM PUBLIC;

--
-- Name: FUNCTION mend_versions(); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.mend_versions() FROM PUBLIC;

--
-- Name: FUNCTION missing_column(target regclass, data jsonb, columns text[]); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.missing_column(target regclass, data jsonb, columns text[]) FROM PUBLIC;

--
-- Name: FUNCTION missing_columns(); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.missing_columns() FROM PUBLIC;

--
-- Name: FUNCTION missing_stages(); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.missing_stages() FROM PUBLIC;

--
-- Name: FUNCTION mute_notify(); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.mute_notify() FROM PUBLIC;

--
-- Name: FUNCTION names_author(statement text, table_schema text, table_name text); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.names_author(statement text, table_schema text, table_name text) FROM PUBLIC;

--
-- Name: FUNCTION needed_grants(); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.needed_grants() FROM PUBLIC;

--
-- Name: FUNCTION new_id(); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.new_id() FROM PUBLIC;

--
-- Name: FUNCTION normalize_image(target regclass, image jsonb); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.normalize_image(target regclass, image jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.normalize_image(target regclass, image jsonb) TO feed_app;
GRANT ALL ON FUNCTION feed.normalize_image(target regclass, image jsonb) TO feed_dba;

--
-- Name: FUNCTION note_adoption(cards regclass, columns jsonb, people regclass, user_columns jsonb); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.note_adoption(cards regclass, columns jsonb, people regclass, user_columns jsonb) FROM PUBLIC;

--
-- Name: FUNCTION note_closings(keys text[]); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.note_closings(keys text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.note_closings(keys text[]) TO feed_app;
GRANT ALL ON FUNCTION feed.note_closings(keys text[]) TO feed_listener;

--
-- Name: FUNCTION note_columns(); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.note_columns() FROM PUBLIC;

--
-- Name: FUNCTION note_layouts(); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.note_layouts() FROM PUBLIC;

--
-- Name: FUNCTION notify_presence(); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.notify_presence() FROM PUBLIC;

--
-- Name: FUNCTION opportunities_of(keys text[]); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.opportunities_of(keys text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.opportunities_of(keys text[]) TO feed_app;
GRANT ALL ON FUNCTION feed.opportunities_of(keys text[]) TO feed_listener;
GRANT ALL ON FUNCTION feed.opportunities_of(keys text[]) TO feed_dba;

--
-- Name: FUNCTION opportunities_on(boards text[]); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.opportunities_on(boards text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.opportunities_on(boards text[]) TO feed_app;
GRANT ALL ON FUNCTION feed.opportunities_on(boards text[]) TO feed_listener;
GRANT ALL ON FUNCTION feed.opportunities_on(boards text[]) TO feed_dba;

--
-- Name: FUNCTION opportunities_page(boards text[], after text, size integer); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.opportunities_page(boards text[], after text, size integer) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.opportunities_page(boards text[], after text, size integer) TO feed_app;
GRANT ALL ON FUNCTION feed.opportunities_page(boards text[], after text, size integer) TO feed_listener;
GRANT ALL ON FUNCTION feed.opportunities_page(boards text[], after text, size integer) TO feed_dba;

--
-- Name: FUNCTION opportunities_table(); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.opportunities_table() FROM PUBLIC;
GRANT ALL ON FUNCTION feed.opportunities_table() TO feed_app;
GRANT ALL ON FUNCTION feed.opportunities_table() TO feed_listener;
GRANT ALL ON FUNCTION feed.opportunities_table() TO feed_dba;

--
-- Name: FUNCTION opportunity_image(image jsonb, key text, board text, version bigint); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.opportunity_image(image jsonb, key text, board text, version bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.opportunity_image(image jsonb, key text, board text, version bigint) TO feed_app;
GRANT ALL ON FUNCTION feed.opportunity_image(image jsonb, key text, board text, version bigint) TO feed_listener;
GRANT ALL ON FUNCTION feed.opportunity_image(image jsonb, key text, board text, version bigint) TO feed_dba;

--
-- Name: FUNCTION opportunity_source(OUT target regclass, OUT key_column text, OUT board_column text, OUT complete boolean, OUT id_text text, OUT version_text text, OUT row_source text, OUT by_key text, OUT by_board text); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.opportunity_source(OUT target regclass, OUT key_column text, OUT board_column text, OUT complete boolean, OUT id_text text, OUT version_text text, OUT row_source text, OUT by_key text, OUT by_board text) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.opportunity_source(OUT target regclass, OUT key_column text, OUT board_column text, OUT complete boolean, OUT id_text text, OUT version_text text, OUT row_source text, OUT by_key text, OUT by_board text) TO feed_app;
GRANT ALL ON FUNCTION feed.opportunity_source(OUT target regclass, OUT key_column text, OUT board_column text, OUT complete boolean, OUT id_text text, OUT version_text text, OUT row_source text, OUT by_key text, OUT by_board text) TO feed_listener;
GRANT ALL ON FUNCTION feed.opportunity_source(OUT target regclass, OUT key_column text, OUT board_column text, OUT complete boolean, OUT id_text text, OUT version_text text, OUT row_source text, OUT by_key text, OUT by_board text) TO feed_dba;

--
-- Name: TABLE attached; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT ON TABLE feed.attached TO feed_app;
GRANT SELECT ON TABLE feed.attached TO feed_dba;
GRANT SELECT ON TABLE feed.attached TO feed_listener;

--
-- Name: FUNCTION plain_relations(); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.plain_relations() FROM PUBLIC;
GRANT ALL ON FUNCTION feed.plain_relations() TO feed_app;
GRANT ALL ON FUNCTION feed.plain_relations() TO feed_listener;
GRANT ALL ON FUNCTION feed.plain_relations() TO feed_dba;

--
-- Name: FUNCTION plain_text(expression text, type oid); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.plain_text(expression text, type oid) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.plain_text(expression text, type oid) TO feed_app;
GRANT ALL ON FUNCTION feed.plain_text(expression text, type oid) TO feed_listener;
GRANT ALL ON FUNCTION feed.plain_text(expression text, type oid) TO feed_dba;

--
-- Name: FUNCTION prune(before timestamp with time zone, OUT partition text, OUT forgotten bigint); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.prune(before timestamp with time zone, OUT partition text, OUT forgotten bigint) FROM PUBLIC;

--
-- Name: FUNCTION read_stage_changes(batch integer, waits boolean); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.read_stage_changes(batch integer, waits boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.read_stage_changes(batch integer, waits boolean) TO feed_app;
GRANT ALL ON FUNCTION feed.read_stage_changes(batch integer, waits boolean) TO feed_listener;

--
-- Name: FUNCTION realtime(user_id text); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.realtime(user_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.realtime(user_id text) TO feed_app;
GRANT ALL ON FUNCTION feed.realtime(user_id text) TO feed_dba;

--
-- Name: FUNCTION redefined_columns(target regclass); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.redefined_columns(target regclass) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.redefined_columns(target regclass) TO feed_app;
GRANT ALL ON FUNCTION feed.redefined_columns(target regclass) TO feed_dba;

--
-- Name: FUNCTION refuse(reason text, hint text, code text); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.refuse(reason text, hint text, code text) FROM PUBLIC;

--
-- Name: FUNCTION repair(target regclass, keys text[]); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.repair(target regclass, keys text[]) FROM PUBLIC;

--
-- Name: FUNCTION repair_rows(); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.repair_rows() FROM PUBLIC;

--
-- Name: FUNCTION report_gap(instance text, user_id text, connection text, board text, cursor text, expected_count bigint, expected_hash text, held_count bigint, held_hash text); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.report_gap(instance text, user_id text, connection text, board text, cursor text, expected_count bigint, expected_hash text, held_count bigint, held_hash text) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.report_gap(instance text, user_id text, connection text, board text, cursor text, expected_count bigint, expected_hash text, held_count bigint, held_hash text) TO feed_app;
GRANT ALL ON FUNCTION feed.report_gap(instance text, user_id text, connection text, board text, cursor text, expected_count bigint, expected_hash text, held_count bigint, held_hash text) TO feed_listener;

--
-- Name: FUNCTION require_adoptable(target text, columns jsonb, users text, user_columns jsonb); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.require_adoptable(target text, columns jsonb, users text, user_columns jsonb) FROM PUBLIC;

--
-- Name: FUNCTION reset_feed(why text); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.reset_feed(why text) FROM PUBLIC;

--
-- Name: FUNCTION restored_columns(target regclass, columns text[], board text); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.restored_columns(target regclass, columns text[], board text) FROM PUBLIC;

--
-- Name: FUNCTION rollout_bucket(user_id text); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.rollout_bucket(user_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.rollout_bucket(user_id text) TO feed_app;
GRANT ALL ON FUNCTION feed.rollout_bucket(user_id text) TO feed_dba;

--
-- Name: FUNCTION rotate_partition(); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.rotate_partition() FROM PUBLIC;

--
-- Name: FUNCTION row_hash(id text, version integer); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.row_hash(id text, version integer) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.row_hash(id text, version integer) TO feed_app;
GRANT ALL ON FUNCTION feed.row_hash(id text, version integer) TO feed_listener;
GRANT ALL ON FUNCTION feed.row_hash(id text, version integer) TO feed_dba;

--
-- Name: FUNCTION row_image(row_data record); Type: ACL; Schema: feed; Owner: feed_sandbox
--

REVOKE ALL ON FUNCTION feed.row_image(row_data record) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.row_image(row_data record) TO feed_owner;
GRANT ALL ON FUNCTION feed.row_image(row_data record) TO feed_app;
GRANT ALL ON FUNCTION feed.row_image(row_data record) TO feed_dba;
GRANT ALL ON FUNCTION feed.row_image(row_data record) TO feed_listener;

--
-- Name: FUNCTION row_json(row_data anyelement); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.row_json(row_data anyelement) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.row_json(row_data anyelement) TO feed_app;
GRANT ALL ON FUNCTION feed.row_json(row_data anyelement) TO feed_listener;
GRANT ALL ON FUNCTION feed.row_json(row_data anyelement) TO feed_dba;

--
-- Name: FUNCTION row_key(row_data jsonb, key_columns text[]); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.row_key(row_data jsonb, key_columns text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.row_key(row_data jsonb, key_columns text[]) TO feed_app;
GRANT ALL ON FUNCTION feed.row_key(row_data jsonb, key_columns text[]) TO feed_listener;
GRANT ALL ON FUNCTION feed.row_key(row_data jsonb, key_columns text[]) TO feed_dba;

--
-- Name: FUNCTION run_as_owner(target regclass, statement text, keys text[], images jsonb[]); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.run_as_owner(target regclass, statement text, keys text[], images jsonb[]) FROM PUBLIC;

--
-- Name: FUNCTION seal(size integer); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.seal(size integer) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.seal(size integer) TO feed_app;
GRANT ALL ON FUNCTION feed.seal(size integer) TO feed_listener;

--
-- Name: TABLE seals; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT ON TABLE feed.seals TO feed_app;
GRANT SELECT ON TABLE feed.seals TO feed_dba;

--
-- Name: FUNCTION seal_hash(seal feed.seals, previous text); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.seal_hash(seal feed.seals, previous text) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.seal_hash(seal feed.seals, previous text) TO feed_app;
GRANT ALL ON FUNCTION feed.seal_hash(seal feed.seals, previous text) TO feed_dba;

--
-- Name: FUNCTION seq_since(moment timestamp with time zone); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.seq_since(moment timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.seq_since(moment timestamp with time zone) TO feed_app;
GRANT ALL ON FUNCTION feed.seq_since(moment timestamp with time zone) TO feed_dba;

--
-- Name: FUNCTION set_capture(captures boolean); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.set_capture(captures boolean) FROM PUBLIC;

--
-- Name: FUNCTION set_notify(enabled boolean); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.set_notify(enabled boolean) FROM PUBLIC;

--
-- Name: FUNCTION set_seal(enabled boolean); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.set_seal(enabled boolean) FROM PUBLIC;

--
-- Name: FUNCTION short_key(key text); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.short_key(key text) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.short_key(key text) TO feed_app;
GRANT ALL ON FUNCTION feed.short_key(key text) TO feed_listener;
GRANT ALL ON FUNCTION feed.short_key(key text) TO feed_dba;

--
-- Name: FUNCTION short_text(text_value text); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.short_text(text_value text) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.short_text(text_value text) TO feed_app;
GRANT ALL ON FUNCTION feed.short_text(text_value text) TO feed_listener;

--
-- Name: FUNCTION single_key(target regclass); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.single_key(target regclass) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.single_key(target regclass) TO feed_app;
GRANT ALL ON FUNCTION feed.single_key(target regclass) TO feed_listener;
GRANT ALL ON FUNCTION feed.single_key(target regclass) TO feed_dba;

--
-- Name: FUNCTION sort_nested(relation_name text, since bigint, logged bigint); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.sort_nested(relation_name text, since bigint, logged bigint) FROM PUBLIC;

--
-- Name: FUNCTION stage_kind(phases jsonb, phase text); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.stage_kind(phases jsonb, phase text) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.stage_kind(phases jsonb, phase text) TO feed_app;
GRANT ALL ON FUNCTION feed.stage_kind(phases jsonb, phase text) TO feed_listener;
GRANT ALL ON FUNCTION feed.stage_kind(phases jsonb, phase text) TO feed_dba;

--
-- Name: FUNCTION stage_source(); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.stage_source() FROM PUBLIC;

--
-- Name: FUNCTION start_stage_changes(); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.start_stage_changes() FROM PUBLIC;
GRANT ALL ON FUNCTION feed.start_stage_changes() TO feed_app;
GRANT ALL ON FUNCTION feed.start_stage_changes() TO feed_listener;

--
-- Name: FUNCTION stored_image(image jsonb); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.stored_image(image jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.stored_image(image jsonb) TO feed_app;
GRANT ALL ON FUNCTION feed.stored_image(image jsonb) TO feed_listener;
GRANT ALL ON FUNCTION feed.stored_image(image jsonb) TO feed_dba;

--
-- Name: FUNCTION suppress_notify(ahead integer); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.suppress_notify(ahead integer) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.suppress_notify(ahead integer) TO feed_app;
GRANT ALL ON FUNCTION feed.suppress_notify(ahead integer) TO feed_listener;

--
-- Name: FUNCTION table_layout(target oid); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.table_layout(target oid) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.table_layout(target oid) TO feed_app;
GRANT ALL ON FUNCTION feed.table_layout(target oid) TO feed_dba;

--
-- Name: FUNCTION table_obstacles(target regclass); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.table_obstacles(target regclass) FROM PUBLIC;

--
-- Name: FUNCTION tail(since interval, board text, opportunity text, actor text, relation text, lim integer); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.tail(since interval, board text, opportunity text, actor text, relation text, lim integer) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.tail(since interval, board text, opportunity text, actor text, relation text, lim integer) TO feed_app;
GRANT ALL ON FUNCTION feed.tail(since interval, board text, opportunity text, actor text, relation text, lim integer) TO feed_dba;

--
-- Name: FUNCTION trigger_arguments(tgargs bytea, OUT board text, OUT key text[], OUT excluded text[]); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.trigger_arguments(tgargs bytea, OUT board text, OUT key text[], OUT excluded text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.trigger_arguments(tgargs bytea, OUT board text, OUT key text[], OUT excluded text[]) TO feed_app;
GRANT ALL ON FUNCTION feed.trigger_arguments(tgargs bytea, OUT board text, OUT key text[], OUT excluded text[]) TO feed_dba;

--
-- Name: FUNCTION trusted_type(type oid); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.trusted_type(type oid) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.trusted_type(type oid) TO feed_app;
GRANT ALL ON FUNCTION feed.trusted_type(type oid) TO feed_listener;
GRANT ALL ON FUNCTION feed.trusted_type(type oid) TO feed_dba;

--
-- Name: FUNCTION typed_image(base anyelement, image jsonb); Type: ACL; Schema: feed; Owner: feed_sandbox
--

REVOKE ALL ON FUNCTION feed.typed_image(base anyelement, image jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.typed_image(base anyelement, image jsonb) TO feed_owner;
GRANT ALL ON FUNCTION feed.typed_image(base anyelement, image jsonb) TO feed_app;
GRANT ALL ON FUNCTION feed.typed_image(base anyelement, image jsonb) TO feed_dba;
GRANT ALL ON FUNCTION feed.typed_image(base anyelement, image jsonb) TO feed_listener;

--
-- Name: FUNCTION unsafe_columns(target oid, source text); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.unsafe_columns(target oid, source text) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.unsafe_columns(target oid, source text) TO feed_app;
GRANT ALL ON FUNCTION feed.unsafe_columns(target oid, source text) TO feed_listener;
GRANT ALL ON FUNCTION feed.unsafe_columns(target oid, source text) TO feed_dba;

--
-- Name: FUNCTION unsafe_rows(target oid, operation text, key_columns text[], excluded text[]); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.unsafe_rows(target oid, operation text, key_columns text[], excluded text[]) FROM PUBLIC;

--
-- Name: FUNCTION user_columns(OUT target regclass, OUT key_column text, OUT name_column text); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.user_columns(OUT target regclass, OUT key_column text, OUT name_column text) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.user_columns(OUT target regclass, OUT key_column text, OUT name_column text) TO feed_app;
GRANT ALL ON FUNCTION feed.user_columns(OUT target regclass, OUT key_column text, OUT name_column text) TO feed_listener;
GRANT ALL ON FUNCTION feed.user_columns(OUT target regclass, OUT key_column text, OUT name_column text) TO feed_dba;

--
-- Name: FUNCTION user_names(users text[]); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.user_names(users text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.user_names(users text[]) TO feed_app;
GRANT ALL ON FUNCTION feed.user_names(users text[]) TO feed_dba;

--
-- Name: FUNCTION user_obstacles(target regclass, columns jsonb); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.user_obstacles(target regclass, columns jsonb) FROM PUBLIC;

--
-- Name: FUNCTION users_table(); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.users_table() FROM PUBLIC;
GRANT ALL ON FUNCTION feed.users_table() TO feed_app;
GRANT ALL ON FUNCTION feed.users_table() TO feed_listener;
GRANT ALL ON FUNCTION feed.users_table() TO feed_dba;

--
-- Name: FUNCTION users_with_email(email text); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.users_with_email(email text) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.users_with_email(email text) TO feed_app;

--
-- Name: FUNCTION value_image(value anyelement); Type: ACL; Schema: feed; Owner: feed_sandbox
--

REVOKE ALL ON FUNCTION feed.value_image(value anyelement) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.value_image(value anyelement) TO feed_owner;
GRANT ALL ON FUNCTION feed.value_image(value anyelement) TO feed_app;
GRANT ALL ON FUNCTION feed.value_image(value anyelement) TO feed_dba;
GRANT ALL ON FUNCTION feed.value_image(value anyelement) TO feed_listener;

--
-- Name: FUNCTION verify_log(target regclass, after text, keys integer); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.verify_log(target regclass, after text, keys integer) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.verify_log(target regclass, after text, keys integer) TO feed_app;
GRANT ALL ON FUNCTION feed.verify_log(target regclass, after text, keys integer) TO feed_dba;

--
-- Name: FUNCTION verify_order(); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.verify_order() FROM PUBLIC;
GRANT ALL ON FUNCTION feed.verify_order() TO feed_app;
GRANT ALL ON FUNCTION feed.verify_order() TO feed_dba;

--
-- Name: FUNCTION verify_rows(target regclass, since xid8, after text[], rows integer); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.verify_rows(target regclass, since xid8, after text[], rows integer) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.verify_rows(target regclass, since xid8, after text[], rows integer) TO feed_app;
GRANT ALL ON FUNCTION feed.verify_rows(target regclass, since xid8, after text[], rows integer) TO feed_dba;

--
-- Name: FUNCTION verify_seals(after bigint, seals integer); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.verify_seals(after bigint, seals integer) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.verify_seals(after bigint, seals integer) TO feed_app;
GRANT ALL ON FUNCTION feed.verify_seals(after bigint, seals integer) TO feed_dba;

--
-- Name: FUNCTION version_board(); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.version_board() FROM PUBLIC;

--
-- Name: FUNCTION version_number(image jsonb); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.version_number(image jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.version_number(image jsonb) TO feed_app;
GRANT ALL ON FUNCTION feed.version_number(image jsonb) TO feed_listener;
GRANT ALL ON FUNCTION feed.version_number(image jsonb) TO feed_dba;

--
-- Name: FUNCTION version_opportunity(); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.version_opportunity() FROM PUBLIC;

--
-- Name: FUNCTION versions_on(board text); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.versions_on(board text) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.versions_on(board text) TO feed_app;
GRANT ALL ON FUNCTION feed.versions_on(board text) TO feed_listener;
GRANT ALL ON FUNCTION feed.versions_on(board text) TO feed_dba;

--
-- Name: TABLE alembic_version; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT ON TABLE feed.alembic_version TO feed_app;
GRANT SELECT ON TABLE feed.alembic_version TO feed_dba;
GRANT SELECT ON TABLE feed.alembic_version TO feed_listener;

--
-- Name: TABLE attached_tables; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT ON TABLE feed.attached_tables TO feed_app;
GRANT SELECT ON TABLE feed.attached_tables TO feed_dba;

--
-- Name: TABLE board_members; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT,INSERT,DELETE ON TABLE feed.board_members TO feed_app;
GRANT SELECT ON TABLE feed.board_members TO feed_dba;
GRANT SELECT ON TABLE feed.board_members TO feed_listener;

--
-- Name: COLUMN board_members.role; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT UPDATE(role) ON TABLE feed.board_members TO feed_app;

--
-- Name: TABLE boards; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT ON TABLE feed.boards TO feed_app;
GRANT SELECT ON TABLE feed.boards TO feed_dba;
GRANT SELECT ON TABLE feed.boards TO feed_listener;

--
-- Name: COLUMN boards.id; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT INSERT(id) ON TABLE feed.boards TO feed_app;

--
-- Name: COLUMN boards.name; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT INSERT(name),UPDATE(name) ON TABLE feed.boards TO feed_app;

--
-- Name: COLUMN boards.phases; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT INSERT(phases),UPDATE(phases) ON TABLE feed.boards TO feed_app;

--
-- Name: COLUMN boards.created_at; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT INSERT(created_at) ON TABLE feed.boards TO feed_app;

--
-- Name: COLUMN boards.currency; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT INSERT(currency),UPDATE(currency) ON TABLE feed.boards TO feed_app;

--
-- Name: COLUMN boards.archived_at; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT UPDATE(archived_at) ON TABLE feed.boards TO feed_app;

--
-- Name: COLUMN boards.close_reasons; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT INSERT(close_reasons),UPDATE(close_reasons) ON TABLE feed.boards TO feed_app;

--
-- Name: COLUMN boards.stale_days; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT INSERT(stale_days),UPDATE(stale_days) ON TABLE feed.boards TO feed_app;

--
-- Name: TABLE instances; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE feed.instances TO feed_app;
GRANT SELECT ON TABLE feed.instances TO feed_dba;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE feed.instances TO feed_listener;

--
-- Name: TABLE client_positions; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT ON TABLE feed.client_positions TO feed_app;
GRANT SELECT ON TABLE feed.client_positions TO feed_dba;

--
-- Name: TABLE delivery_journal; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT,INSERT,DELETE ON TABLE feed.delivery_journal TO feed_app;
GRANT SELECT ON TABLE feed.delivery_journal TO feed_dba;
GRANT SELECT,INSERT,DELETE ON TABLE feed.delivery_journal TO feed_listener;

--
-- Name: TABLE user_presence; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE feed.user_presence TO feed_app;
GRANT SELECT ON TABLE feed.user_presence TO feed_dba;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE feed.user_presence TO feed_listener;

--
-- Name: TABLE editing; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT ON TABLE feed.editing TO feed_app;
GRANT SELECT ON TABLE feed.editing TO feed_dba;

--
-- Name: TABLE flags; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT ON TABLE feed.flags TO feed_app;
GRANT SELECT ON TABLE feed.flags TO feed_dba;
GRANT SELECT ON TABLE feed.flags TO feed_listener;

--
-- Name: TABLE gap_reports; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT,INSERT ON TABLE feed.gap_reports TO feed_app;
GRANT SELECT ON TABLE feed.gap_reports TO feed_dba;
GRANT SELECT,INSERT ON TABLE feed.gap_reports TO feed_listener;

--
-- Name: TABLE gaps; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT ON TABLE feed.gaps TO feed_app;
GRANT SELECT ON TABLE feed.gaps TO feed_dba;

--
-- Name: TABLE identity; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT ON TABLE feed.identity TO feed_app;
GRANT SELECT ON TABLE feed.identity TO feed_dba;
GRANT SELECT ON TABLE feed.identity TO feed_listener;

--
-- Name: TABLE triggers; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT ON TABLE feed.triggers TO feed_app;
GRANT SELECT ON TABLE feed.triggers TO feed_dba;

--
-- Name: TABLE indexes; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT ON TABLE feed.indexes TO feed_app;
GRANT SELECT ON TABLE feed.indexes TO feed_dba;

--
-- Name: TABLE pacer; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT ON TABLE feed.pacer TO feed_app;
GRANT SELECT ON TABLE feed.pacer TO feed_dba;
GRANT SELECT ON TABLE feed.pacer TO feed_listener;

--
-- Name: COLUMN pacer.instance; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT UPDATE(instance) ON TABLE feed.pacer TO feed_app;
GRANT UPDATE(instance) ON TABLE feed.pacer TO feed_listener;

--
-- Name: COLUMN pacer.pid; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT UPDATE(pid) ON TABLE feed.pacer TO feed_app;
GRANT UPDATE(pid) ON TABLE feed.pacer TO feed_listener;

--
-- Name: COLUMN pacer.until; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT UPDATE(until) ON TABLE feed.pacer TO feed_app;
GRANT UPDATE(until) ON TABLE feed.pacer TO feed_listener;

--
-- Name: COLUMN pacer.mode; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT UPDATE(mode) ON TABLE feed.pacer TO feed_app;
GRANT UPDATE(mode) ON TABLE feed.pacer TO feed_listener;

--
-- Name: COLUMN pacer.notifications; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT UPDATE(notifications) ON TABLE feed.pacer TO feed_app;
GRANT UPDATE(notifications) ON TABLE feed.pacer TO feed_listener;

--
-- Name: COLUMN pacer.since; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT UPDATE(since) ON TABLE feed.pacer TO feed_app;
GRANT UPDATE(since) ON TABLE feed.pacer TO feed_listener;

--
-- Name: TABLE instance_status; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT ON TABLE feed.instance_status TO feed_app;
GRANT SELECT ON TABLE feed.instance_status TO feed_dba;

--
-- Name: TABLE lag; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT ON TABLE feed.lag TO feed_app;
GRANT SELECT ON TABLE feed.lag TO feed_dba;

--
-- Name: TABLE maintenance; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT ON TABLE feed.maintenance TO feed_app;
GRANT SELECT ON TABLE feed.maintenance TO feed_dba;

--
-- Name: SEQUENCE notify_suppressed_until; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT ON SEQUENCE feed.notify_suppressed_until TO feed_app;
GRANT SELECT ON SEQUENCE feed.notify_suppressed_until TO feed_listener;
GRANT SELECT ON SEQUENCE feed.notify_suppressed_until TO feed_dba;

--
-- Name: TABLE retention; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT ON TABLE feed.retention TO feed_app;
GRANT SELECT ON TABLE feed.retention TO feed_dba;

--
-- Name: TABLE health; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT ON TABLE feed.health TO feed_app;
GRANT SELECT ON TABLE feed.health TO feed_dba;

--
-- Name: TABLE opportunity_versions; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT ON TABLE feed.opportunity_versions TO feed_app;
GRANT SELECT ON TABLE feed.opportunity_versions TO feed_dba;
GRANT SELECT ON TABLE feed.opportunity_versions TO boardcast;

--
-- Name: SEQUENCE partition_xid; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT ON SEQUENCE feed.partition_xid TO feed_app;
GRANT SELECT ON SEQUENCE feed.partition_xid TO feed_listener;
GRANT SELECT ON SEQUENCE feed.partition_xid TO feed_dba;

--
-- Name: TABLE stage_changes; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT,INSERT ON TABLE feed.stage_changes TO feed_app;
GRANT SELECT ON TABLE feed.stage_changes TO feed_dba;
GRANT SELECT,INSERT ON TABLE feed.stage_changes TO feed_listener;

--
-- Name: TABLE stage_reader; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT,UPDATE ON TABLE feed.stage_reader TO feed_app;
GRANT SELECT ON TABLE feed.stage_reader TO feed_dba;
GRANT SELECT,UPDATE ON TABLE feed.stage_reader TO feed_listener;

--
-- Name: TABLE tickets; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT,INSERT,DELETE ON TABLE feed.tickets TO feed_app;
GRANT SELECT,INSERT,DELETE ON TABLE feed.tickets TO feed_listener;

--
-- Name: TABLE opportunities; Type: ACL; Schema: public; Owner: boardcast
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.opportunities TO feed_app;
GRANT SELECT ON TABLE public.opportunities TO feed_dba;
GRANT SELECT ON TABLE public.opportunities TO feed_listener;

--
-- Name: TABLE users; Type: ACL; Schema: public; Owner: boardcast
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.users TO feed_app;
GRANT SELECT ON TABLE public.users TO feed_dba;

--
-- PostgreSQL database dump complete
--

