-- Removes the memberships of deleted users. It takes the place of a foreign key, which would keep the application from changing
-- the type or the name of its key, from truncating users, and from replacing the table by a view. Rows that cannot be matched
-- are left alone.
CREATE FUNCTION feed.forget_users() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, feed, pg_temp
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
COMMENT ON FUNCTION feed.forget_users() IS
    'Trigger of users: removes the memberships of deleted users. Its argument is the key column.';
