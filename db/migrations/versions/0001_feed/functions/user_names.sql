-- A view runs functions of its owner with the rights of its reader, so a superuser reads no view of another role.
CREATE FUNCTION feed.user_names(users text[]) RETURNS TABLE (id text, name text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    source record := feed.user_columns();
    key_type oid := (SELECT a.atttypid FROM pg_attribute AS a WHERE a.attrelid = source.target AND a.attname = source.key_column);
    name_type oid := (SELECT a.atttypid FROM pg_attribute AS a WHERE a.attrelid = source.target AND a.attname = source.name_column);
    id_text text;
BEGIN
    IF source.key_column IS NOT NULL AND NOT EXISTS (
        SELECT FROM pg_class AS c JOIN pg_roles AS reader ON reader.rolname = current_user JOIN pg_roles AS owner ON owner.oid = c.relowner
        WHERE c.oid = source.target AND c.relkind NOT IN ('r', 'p') AND reader.rolsuper AND NOT owner.rolsuper) THEN
        id_text := feed.plain_text(format('u.%I', source.key_column), key_type);
        RETURN QUERY EXECUTE format('SELECT %1$s, %2$s FROM %3$s AS u WHERE %4$s', id_text,
            CASE WHEN source.name_column IS NOT NULL THEN format('coalesce(%s, %s)', feed.plain_text(format('u.%I', source.name_column), name_type), id_text)
                 ELSE id_text END,
            source.target, feed.matches_any(format('u.%I', source.key_column), key_type, '$1')) USING users;
    END IF;
END
$$;
COMMENT ON FUNCTION feed.user_names(text[]) IS 'Names of the users with these IDs, or their IDs if the application has no names; only of those that exist.';
