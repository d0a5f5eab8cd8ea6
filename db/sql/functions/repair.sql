-- Writes into the log what went past the triggers, so that clients are told. The table is locked against writers for as long as this takes: a
-- row of the log that says what is not so any more would be worse than one that is missing.
CREATE FUNCTION feed.repair(target regclass, keys text[]) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, feed, pg_temp
SET timezone = 'UTC'
-- A row that its policies hide is not one that is gone.
SET row_security = off
AS $$
DECLARE
    fed record := feed.fed_columns(target);
    emptied bigint;
    written bigint;
    skips boolean;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'a repair must see what was committed before its lock' USING ERRCODE = 'active_sql_transaction',
            HINT = 'Run it in a READ COMMITTED transaction.';
    END IF;
    IF current_setting('synchronous_commit') = 'off' THEN
        PERFORM set_config('synchronous_commit', 'local', true);
    END IF;
    EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', target);
    SELECT max(l.seq) INTO emptied FROM feed.log AS l WHERE l.relation = fed.relation AND l.key IS NULL AND l.op = 'truncate';
    EXECUTE format($query$
        WITH written AS (
            INSERT INTO feed.log (relation, op, key, board, old, new, version, actor, origin, db_user, application, client_addr, pid, rang)
        SELECT %1$L, step.op, r.key, CASE WHEN step.op IN ('leave', 'delete') THEN r.before ->> $3 ELSE r.after ->> $3 END,
               r.before, r.after, (coalesce(r.after, r.before) ->> 'version_number')::integer,
               coalesce(nullif(current_setting('feed.actor', true), ''), session_user), 'repair',
               session_user, current_setting('application_name'), inet_client_addr(), pg_backend_pid(), true
        FROM (
            SELECT k.key, k.place, t.data AS after, l.new AS before
            FROM unnest($1) WITH ORDINALITY AS k(key, place)
            LEFT JOIN LATERAL (SELECT %4$s AS data FROM %2$s AS t WHERE %3$s) AS t ON true
            LEFT JOIN LATERAL (SELECT CASE WHEN l.seq > coalesce($2, 0) AND l.op IN ('insert', 'update', 'enter') THEN l.new END AS new
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
        SELECT count(*), bool_or(op <> 'delete' AND (new ->> 'version_number')::integer <> (old ->> 'version_number')::integer + 1) FROM written
    $query$, fed.relation, target, fed.matches, fed.image) INTO written, skips USING keys, emptied, fed.board;
    IF skips THEN
        -- Readers go by the version: what is no newer than what they have they would pass over, and what is newer by more than one
        -- they would take for a sign that something is missing, as a checkpoint would.
        INSERT INTO feed.log (relation, op, actor, origin, db_user, application, client_addr, pid)
        VALUES (fed.relation, 'reload', coalesce(nullif(current_setting('feed.actor', true), ''), session_user), 'repair',
                session_user, current_setting('application_name'), inet_client_addr(), pg_backend_pid());
    END IF;
    IF written > 0 THEN
        PERFORM feed.ring(currval('feed.log_seq'), fed.relation, 'repair');
    END IF;
    RETURN written;
END
$$;
COMMENT ON FUNCTION feed.repair(regclass, text[]) IS
    'Logs how the rows with these keys are now, where the log says otherwise, with the origin repair; how many rows of the log that took. Writers of the table wait for it.';
