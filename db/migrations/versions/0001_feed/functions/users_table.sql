CREATE FUNCTION feed.users_table() RETURNS regclass
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce((SELECT c.oid::regclass FROM feed.adopted AS a JOIN pg_class AS c ON c.oid = a.relation WHERE a.role = 'users'),
                    to_regclass('public.users'))
$$;
COMMENT ON FUNCTION feed.users_table() IS
    'The table or view with the users, from which their names are read; null: there is none, and users are known by their IDs only.';
