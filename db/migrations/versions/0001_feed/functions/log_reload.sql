-- Writes the log row after which readers load a table again. What members and flags are is read when a service starts to follow the
-- log, and then taken from the log row by row, so for these two tables every reader starts over.
CREATE FUNCTION feed.log_reload(relation_name text, why text) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, feed, pg_temp
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
COMMENT ON FUNCTION feed.log_reload(text, text) IS
    'Logs that readers must load a table again, with this origin (attach or repair). Returns the sequence number of the log row.';
