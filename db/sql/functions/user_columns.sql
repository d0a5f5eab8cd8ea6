CREATE FUNCTION feed.user_columns(OUT target regclass, OUT key_column text, OUT name_column text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
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
COMMENT ON FUNCTION feed.user_columns() IS
    'The table or view with the users, and its columns with their IDs and their names. key_column is null if no column identifies a user; name_column if there are no names.';
