-- Writes one row of feed.log for each row that a statement changed, in the transaction of the writer, and sends NOTIFY
-- unless the pacer does. For the trigger arguments, see feed.trigger_arguments.
--
-- seq is drawn here, in an AFTER trigger, while the row locks are held. That makes "transactions by their last seq" agree
-- with the commit order for any two that changed the same row. If the application has dropped the key column, the log gets a reload
-- for the row: readers load the table again, and the write goes on.
CREATE FUNCTION feed.capture() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
-- Without this, pg_temp.log of a writer would receive the rows.
SET search_path = pg_catalog, feed, pg_temp
-- The same row has the same key and the same JSON, whatever the settings of the session that writes it.
SET timezone = 'UTC'
SET datestyle = 'ISO, YMD'
SET intervalstyle = 'postgres'
SET bytea_output = 'hex'
SET extra_float_digits = 1
SET lc_monetary = 'C'
SET quote_all_identifiers = off
AS $$
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
$$;
COMMENT ON FUNCTION feed.capture() IS
    'Trigger of an attached table: logs the changes of the statement in feed.log and sends NOTIFY. See feed.attach.';
