-- Writes one row of feed.log for each row that a statement changed, in the writer's own transaction, and rings the doorbell if
-- nobody sweeps the log anyway.
-- Arguments of the trigger: see feed.trigger_arguments. Where columns are left out there are never two of them, so the shorter way below is
-- not taken, and pays nothing for the question.
--
-- seq is drawn here, in an AFTER trigger, so while the row locks are held: that makes "transactions by their last seq"
-- agree with commit order wherever two of them touched the same row. No error is swallowed: a write that cannot be logged fails.
CREATE FUNCTION feed.capture() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
-- A writer's pg_temp.log would otherwise take the rows; UTC makes the same row the same JSON whoever writes it.
SET search_path = pg_catalog, feed, pg_temp
SET timezone = 'UTC'
AS $$
-- A fed table may have columns of any name, also those of the variables below. No expression here reads such a column by its bare name, so
-- a bare name is always the variable.
#variable_conflict use_variable
DECLARE
    relation_name text := CASE TG_TABLE_SCHEMA WHEN 'public' THEN TG_TABLE_NAME
                                               ELSE TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME END;
    board_column text := TG_ARGV[0];
    -- feed.row_key is called where it must be: a function in SQL costs more than all the rest of a row.
    key_column text := CASE WHEN TG_NARGS = 2 THEN TG_ARGV[1] END;
    -- No bell while a pacer sweeps. Read as a function, since a query of the sequence costs eight times as much. A pulse further
    -- ahead than any pacer sets it (a second) is none: the server's clock was set back. But one that no clock reaches is silence.
    rings boolean := (width_bucket(abs(pg_sequence_last_value('feed.pulse') - date_part('epoch', clock_timestamp()) * 1000 - 500),
                                   500, 4e15, 1) <> 1) IS NOT TRUE;
    named boolean;
    written bigint := 0;
BEGIN
    -- Readers may see this row as soon as it is committed, so a crash must not be able to take the commit back.
    IF current_setting('synchronous_commit') = 'off' THEN
        PERFORM set_config('synchronous_commit', 'local', true);
    END IF;

    IF TG_OP = 'UPDATE' THEN
        named := current_setting('feed.named', true) = TG_RELID::text;
        IF named THEN
            PERFORM set_config('feed.named', '', true);
        END IF;
        -- One row that stays on its board, as nearly every UPDATE has: there is nothing to join, and all is asked in one statement,
        -- as each expression of PL/pgSQL costs a snapshot. No subquery in an expression: for one of those the whole statement is
        -- walked again each time. Whatever else happened is left to the block below, which could do this too.
        INSERT INTO feed.log (relation, op, key, board, old, new, version, parents,
                              actor, origin, db_user, application, client_addr, pid, rang)
        SELECT relation_name, 'update', r.after ->> key_column, r.after ->> board_column, r.before, r.after,
               (r.after ->> 'version_number')::int, nullif(current_setting('feed.parents', true), '')::integer[],
               coalesce(nullif(current_setting('feed.actor', true), ''),
                        CASE WHEN named THEN r.after ->> 'last_modified_by' END, session_user),
               nullif(current_setting('feed.origin', true), ''),
               session_user, current_setting('application_name'), inet_client_addr(), pg_backend_pid(), rings
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
            left_out text[];
            declared_actor text := nullif(current_setting('feed.actor', true), '');
            declared_origin text := nullif(current_setting('feed.origin', true), '');
            declared_parents integer[] := nullif(current_setting('feed.parents', true), '')::integer[];
            application text := current_setting('application_name');
            address inet := inet_client_addr();
        BEGIN
            IF TG_NARGS > 2 AND '' = ANY (key_columns) THEN
                left_out := key_columns[array_position(key_columns, '') + 1:];
                key_columns := key_columns[:array_position(key_columns, '') - 1];
            END IF;
            IF TG_OP = 'UPDATE' THEN
                WITH before AS MATERIALIZED (
                    SELECT r.data, r.data ->> board_column AS board,
                           coalesce(CASE WHEN key_column IS NULL THEN feed.row_key(r.data, key_columns) ELSE r.data ->> key_column END,
                                    feed.lost_column(TG_RELID, r.data, key_columns)) AS key
                    FROM old_rows AS o CROSS JOIN LATERAL (
                        SELECT CASE WHEN left_out IS NULL THEN feed.row_image(o.*)
                                    ELSE feed.leave_out(TG_RELID, feed.row_image(o.*), left_out) END AS data OFFSET 0) AS r
                ), after AS MATERIALIZED (
                    SELECT r.data, coalesce(r.data ->> board_column, CASE WHEN board_column <> '' THEN
                               feed.lost_column(TG_RELID, r.data, ARRAY[board_column]) END) AS board,
                           coalesce(CASE WHEN key_column IS NULL THEN feed.row_key(r.data, key_columns) ELSE r.data ->> key_column END,
                                    feed.lost_column(TG_RELID, r.data, key_columns)) AS key
                    FROM new_rows AS n CROSS JOIN LATERAL (
                        SELECT CASE WHEN left_out IS NULL THEN feed.row_image(n.*)
                                    ELSE feed.leave_out(TG_RELID, feed.row_image(n.*), left_out) END AS data OFFSET 0) AS r
                )
                INSERT INTO feed.log (relation, op, key, board, old, new, version, parents,
                                      actor, origin, db_user, application, client_addr, pid, rang)
                SELECT relation_name, step.op, key,
                       CASE WHEN step.op IN ('leave', 'delete') THEN before.board ELSE after.board END,
                       before.data, after.data,
                       (coalesce(after.data, before.data) ->> 'version_number')::int, declared_parents,
                       coalesce(declared_actor, CASE WHEN named THEN after.data ->> 'last_modified_by' END, session_user), declared_origin,
                       session_user, application, address, pg_backend_pid(), rings
                FROM before FULL JOIN after USING (key)
                -- A row that changes its board leaves one and enters the other: two readers, two rows, in this order.
                CROSS JOIN LATERAL unnest(
                    CASE WHEN before.data IS NULL THEN '{insert}'::text[]
                         WHEN after.data IS NULL THEN '{delete}'::text[]
                         WHEN before.board IS DISTINCT FROM after.board THEN '{leave,enter}'::text[]
                         ELSE '{update}'::text[] END) WITH ORDINALITY AS step(op, place)
                WHERE before.data IS DISTINCT FROM after.data
                ORDER BY step.place;
            ELSIF TG_OP = 'INSERT' THEN
                INSERT INTO feed.log (relation, op, key, board, new, version, parents,
                                      actor, origin, db_user, application, client_addr, pid, rang)
                SELECT relation_name, 'insert',
                       coalesce(CASE WHEN key_column IS NULL THEN feed.row_key(r.data, key_columns) ELSE r.data ->> key_column END,
                                feed.lost_column(TG_RELID, r.data, key_columns)),
                       coalesce(r.data ->> board_column,
                                CASE WHEN board_column <> '' THEN feed.lost_column(TG_RELID, r.data, ARRAY[board_column]) END), r.data,
                       (r.data ->> 'version_number')::int, declared_parents,
                       coalesce(declared_actor, r.data ->> 'last_modified_by', session_user), declared_origin,
                       session_user, application, address, pg_backend_pid(), rings
                FROM new_rows AS n CROSS JOIN LATERAL (
                    SELECT CASE WHEN left_out IS NULL THEN feed.row_image(n.*)
                                ELSE feed.leave_out(TG_RELID, feed.row_image(n.*), left_out) END AS data OFFSET 0) AS r;
            ELSIF TG_OP = 'DELETE' THEN
                -- last_modified_by tells who edited the row before, not who deletes it now.
                INSERT INTO feed.log (relation, op, key, board, old, version,
                                      actor, origin, db_user, application, client_addr, pid, rang)
                SELECT relation_name, 'delete',
                       coalesce(CASE WHEN key_column IS NULL THEN feed.row_key(r.data, key_columns) ELSE r.data ->> key_column END,
                                feed.lost_column(TG_RELID, r.data, key_columns)),
                       coalesce(r.data ->> board_column,
                                CASE WHEN board_column <> '' THEN feed.lost_column(TG_RELID, r.data, ARRAY[board_column]) END), r.data,
                       (r.data ->> 'version_number')::int,
                       coalesce(declared_actor, session_user), declared_origin,
                       session_user, application, address, pg_backend_pid(), rings
                FROM old_rows AS o CROSS JOIN LATERAL (
                    SELECT CASE WHEN left_out IS NULL THEN feed.row_image(o.*)
                                ELSE feed.leave_out(TG_RELID, feed.row_image(o.*), left_out) END AS data OFFSET 0) AS r;
            ELSE
                INSERT INTO feed.log (relation, op, actor, origin, db_user, application, client_addr, pid, rang)
                VALUES (relation_name, 'truncate', coalesce(declared_actor, session_user), declared_origin,
                        session_user, application, address, pg_backend_pid(), rings);
            END IF;

            GET DIAGNOSTICS written = ROW_COUNT;
        END;
    END IF;

    IF rings AND written > 0 THEN
        PERFORM feed.ring(currval('feed.log_seq'), relation_name, lower(TG_OP));
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION feed.capture() IS
    'Trigger of a fed table: logs what the statement changed in feed.log and rings the doorbell. See feed.attach.';
