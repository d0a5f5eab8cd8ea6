-- Logs changes that bypassed the triggers, so that clients receive them. Writers of the table are locked out until the
-- transaction ends: a log row that is already out of date would be worse than a missing one.
CREATE FUNCTION feed.repair(target regclass, keys text[]) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, feed, pg_temp
SET timezone = 'UTC'
SET datestyle = 'ISO, YMD'
SET intervalstyle = 'postgres'
SET bytea_output = 'hex'
SET extra_float_digits = 1
SET lc_monetary = 'C'
SET quote_all_identifiers = off
-- Raise an error if row security hides rows, instead of treating them as deleted.
SET row_security = off
-- Compiling the statement would take longer than running it.
SET jit = off
AS $$
DECLARE
    parts record := feed.fed_columns(target);
    emptied bigint;
    written bigint;
    skips boolean;
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
        SELECT count(*), bool_or(op <> 'delete' AND feed.version_number(new) <> feed.version_number(old) + 1) FROM written
    $query$, parts.relation, parts.row_by_key) INTO written, skips USING keys, emptied, parts.board;
    IF skips THEN
        -- Clients compare versions. They would ignore a version that is not newer than theirs, and would take a jump of
        -- more than one, like a checkpoint that does not match, as a sign of a missing change.
        PERFORM feed.log_reload(parts.relation, 'repair');
    END IF;
    IF written > 0 THEN
        PERFORM pg_notify('boardcast', '');
    END IF;
    RETURN written;
END
$$;
COMMENT ON FUNCTION feed.repair(regclass, text[]) IS
    'Logs the current state of the rows with these keys where the log differs, with origin repair. Returns the number of log rows written. Blocks writers of the table until the transaction ends.';
