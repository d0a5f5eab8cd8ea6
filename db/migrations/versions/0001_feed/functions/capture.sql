-- Writes one row of feed.log for each row that a statement changed, in the transaction of the writer, and sends NOTIFY
-- unless the pacer does. For the trigger arguments, see feed.trigger_arguments. If columns are excluded there are more than
-- two arguments, so the fast path below is not taken, and other tables pay nothing for the check.
--
-- seq is drawn here, in an AFTER trigger, while the row locks are held. That makes "transactions by their last seq" agree
-- with the commit order for any two that changed the same row. No error is suppressed: a write that cannot be logged fails.
CREATE FUNCTION feed.capture() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
-- Without this, pg_temp.log of a writer would receive the rows. With UTC, the same row has the same JSON regardless of the writer.
SET search_path = pg_catalog, feed, pg_temp
SET timezone = 'UTC'
AS $$
-- An attached table may have columns named like the variables below. No expression here refers to such a column by its bare
-- name, so a bare name is always the variable.
#variable_conflict use_variable
DECLARE
    relation_name text := CASE TG_TABLE_SCHEMA WHEN 'public' THEN TG_TABLE_NAME
                                               ELSE TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME END;
    board_column text := TG_ARGV[0];
    -- feed.row_key() is called only for keys of several columns, because a function in SQL costs more than everything else
    -- for a row.
    key_column text := CASE WHEN TG_NARGS = 2 THEN TG_ARGV[1] END;
    -- No NOTIFY while the pacer reads the log. The sequence is read with a function, because a query costs eight times as
    -- much. A value further ahead than any pacer sets it (a second) is ignored, because the server's clock was set back.
    -- But a value that no clock reaches means that NOTIFY is switched off.
    sends_notify boolean := (width_bucket(abs(pg_sequence_last_value('feed.notify_suppressed_until') - date_part('epoch', clock_timestamp()) * 1000 - 500),
                                   500, 4e15, 1) <> 1) IS NOT TRUE;
    named boolean;
    written bigint := 0;
BEGIN
    -- Readers may see this row as soon as it is committed, so a crash must not be able to undo the commit.
    IF current_setting('synchronous_commit') = 'off' THEN
        PERFORM set_config('synchronous_commit', 'local', true);
    END IF;

    IF TG_OP = 'UPDATE' THEN
        named := current_setting('feed.named', true) = TG_RELID::text;
        IF named THEN
            PERFORM set_config('feed.named', '', true);
        END IF;
        -- Fast path for one row that stays on its board, as in almost every UPDATE. It needs no join, and it is one
        -- statement, because each PL/pgSQL expression costs a snapshot. Expressions contain no subqueries, because the
        -- whole statement would be walked again for each. Everything else is left to the block below, which could handle
        -- this case too.
        INSERT INTO feed.log (relation, op, key, board, old, new, version, parents,
                              actor, origin, db_user, application, client_addr, pid, notified)
        SELECT relation_name, 'update', r.after ->> key_column, r.after ->> board_column, r.before, r.after,
               (r.after ->> 'version_number')::int, nullif(current_setting('feed.parents', true), '')::integer[],
               coalesce(nullif(current_setting('feed.actor', true), ''),
                        CASE WHEN named THEN r.after ->> 'last_modified_by' END, session_user),
               nullif(current_setting('feed.origin', true), ''),
               session_user, current_setting('application_name'), inet_client_addr(), pg_backend_pid(), sends_notify
        FROM (SELECT o.before, n.after
              FROM (SELECT feed.row_image(o.*) AS before FROM old_rows AS o LIMIT 2) AS o
              CROSS JOIN (SELECT feed.row_image(n.*) AS after FROM new_rows AS n LIMIT 2) AS n
              LEFT JOIN (SELECT true AS one FROM old_rows OFFSET 1 LIMIT 1) AS another ON true
              WHERE another.one IS NULL) AS r
        WHERE r.before ->> key_column = r.after ->> key_column
          AND r.before <> r.after AND (r.before ->> board_column = r.after ->> board_column OR board_column = '');
        GET DIAGNOSTICS written = ROW_COUNT;
    END IF;

    IF written = 0 THEN
        DECLARE
            key_columns text[] := TG_ARGV[1:];
            excluded text[];
            declared_actor text := nullif(current_setting('feed.actor', true), '');
            declared_origin text := nullif(current_setting('feed.origin', true), '');
            declared_parents integer[] := nullif(current_setting('feed.parents', true), '')::integer[];
            application text := current_setting('application_name');
            address inet := inet_client_addr();
        BEGIN
            IF TG_NARGS > 2 AND '' = ANY (key_columns) THEN
                excluded := key_columns[array_position(key_columns, '') + 1:];
                key_columns := key_columns[:array_position(key_columns, '') - 1];
            END IF;
            IF TG_OP = 'UPDATE' THEN
                WITH before AS MATERIALIZED (
                    SELECT r.data, r.data ->> board_column AS board,
                           coalesce(CASE WHEN key_column IS NULL THEN feed.row_key(r.data, key_columns) ELSE r.data ->> key_column END,
                                    feed.missing_column(TG_RELID, r.data, key_columns)) AS key
                    FROM old_rows AS o CROSS JOIN LATERAL (
                        SELECT CASE WHEN excluded IS NULL THEN feed.row_image(o.*)
                                    ELSE feed.exclude_columns(TG_RELID, feed.row_image(o.*), excluded) END AS data OFFSET 0) AS r
                ), after AS MATERIALIZED (
                    SELECT r.data, coalesce(r.data ->> board_column, CASE WHEN board_column <> '' THEN
                               feed.missing_column(TG_RELID, r.data, ARRAY[board_column]) END) AS board,
                           coalesce(CASE WHEN key_column IS NULL THEN feed.row_key(r.data, key_columns) ELSE r.data ->> key_column END,
                                    feed.missing_column(TG_RELID, r.data, key_columns)) AS key
                    FROM new_rows AS n CROSS JOIN LATERAL (
                        SELECT CASE WHEN excluded IS NULL THEN feed.row_image(n.*)
                                    ELSE feed.exclude_columns(TG_RELID, feed.row_image(n.*), excluded) END AS data OFFSET 0) AS r
                )
                INSERT INTO feed.log (relation, op, key, board, old, new, version, parents,
                                      actor, origin, db_user, application, client_addr, pid, notified)
                SELECT relation_name, step.op, key,
                       CASE WHEN step.op IN ('leave', 'delete') THEN before.board ELSE after.board END,
                       before.data, after.data,
                       (coalesce(after.data, before.data) ->> 'version_number')::int, declared_parents,
                       coalesce(declared_actor, CASE WHEN named THEN after.data ->> 'last_modified_by' END, session_user), declared_origin,
                       session_user, application, address, pg_backend_pid(), sends_notify
                FROM before FULL JOIN after USING (key)
                -- A row that changes its board leaves one and enters the other. Each has its own readers, so there are two
                -- log rows, in this order.
                CROSS JOIN LATERAL unnest(
                    CASE WHEN before.data IS NULL THEN '{insert}'::text[]
                         WHEN after.data IS NULL THEN '{delete}'::text[]
                         WHEN before.board IS DISTINCT FROM after.board THEN '{leave,enter}'::text[]
                         ELSE '{update}'::text[] END) WITH ORDINALITY AS step(op, place)
                WHERE before.data IS DISTINCT FROM after.data
                ORDER BY step.place;
            ELSIF TG_OP = 'INSERT' THEN
                INSERT INTO feed.log (relation, op, key, board, new, version, parents,
                                      actor, origin, db_user, application, client_addr, pid, notified)
                SELECT relation_name, 'insert',
                       coalesce(CASE WHEN key_column IS NULL THEN feed.row_key(r.data, key_columns) ELSE r.data ->> key_column END,
                                feed.missing_column(TG_RELID, r.data, key_columns)),
                       coalesce(r.data ->> board_column,
                                CASE WHEN board_column <> '' THEN feed.missing_column(TG_RELID, r.data, ARRAY[board_column]) END), r.data,
                       (r.data ->> 'version_number')::int, declared_parents,
                       coalesce(declared_actor, r.data ->> 'last_modified_by', session_user), declared_origin,
                       session_user, application, address, pg_backend_pid(), sends_notify
                FROM new_rows AS n CROSS JOIN LATERAL (
                    SELECT CASE WHEN excluded IS NULL THEN feed.row_image(n.*)
                                ELSE feed.exclude_columns(TG_RELID, feed.row_image(n.*), excluded) END AS data OFFSET 0) AS r;
            ELSIF TG_OP = 'DELETE' THEN
                -- last_modified_by names the author of the previous change, not of the deletion.
                INSERT INTO feed.log (relation, op, key, board, old, version,
                                      actor, origin, db_user, application, client_addr, pid, notified)
                SELECT relation_name, 'delete',
                       coalesce(CASE WHEN key_column IS NULL THEN feed.row_key(r.data, key_columns) ELSE r.data ->> key_column END,
                                feed.missing_column(TG_RELID, r.data, key_columns)),
                       coalesce(r.data ->> board_column,
                                CASE WHEN board_column <> '' THEN feed.missing_column(TG_RELID, r.data, ARRAY[board_column]) END), r.data,
                       (r.data ->> 'version_number')::int,
                       coalesce(declared_actor, session_user), declared_origin,
                       session_user, application, address, pg_backend_pid(), sends_notify
                FROM old_rows AS o CROSS JOIN LATERAL (
                    SELECT CASE WHEN excluded IS NULL THEN feed.row_image(o.*)
                                ELSE feed.exclude_columns(TG_RELID, feed.row_image(o.*), excluded) END AS data OFFSET 0) AS r;
            ELSE
                INSERT INTO feed.log (relation, op, actor, origin, db_user, application, client_addr, pid, notified)
                VALUES (relation_name, 'truncate', coalesce(declared_actor, session_user), declared_origin,
                        session_user, application, address, pg_backend_pid(), sends_notify);
            END IF;

            GET DIAGNOSTICS written = ROW_COUNT;
        END;
    END IF;

    IF sends_notify AND written > 0 THEN
        PERFORM feed.notify(currval('feed.log_seq'), relation_name, lower(TG_OP));
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION feed.capture() IS
    'Trigger of an attached table: logs the changes of the statement in feed.log and sends NOTIFY. See feed.attach.';
