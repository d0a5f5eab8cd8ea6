-- Reads only a column named email that the caller may read: of a table that was named in feed.adopt, the services read only IDs and
-- names. As in feed.user_names, a superuser reads no view of another role.
CREATE FUNCTION feed.users_with_email(email text) RETURNS SETOF text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
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
$$;
COMMENT ON FUNCTION feed.users_with_email(text) IS
    'IDs of the users with this e-mail address, at most two; none if the services may not read addresses. Used to invite members.';
