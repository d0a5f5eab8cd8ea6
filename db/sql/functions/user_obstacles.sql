CREATE FUNCTION feed.user_obstacles(target regclass, columns jsonb) RETURNS SETOF text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    relation record;
    key_column text := coalesce(columns ->> 'id', feed.single_key(target));
BEGIN
    RETURN QUERY
    SELECT format('there is no field %s of users; the fields are id and name', quote_ident(c.key)) FROM jsonb_each_text(columns) AS c WHERE c.key NOT IN ('id', 'name')
    UNION ALL
    SELECT format('%s has no column %s; its columns are %s', target, quote_ident(c.value),
                  (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute AS a WHERE a.attrelid = target AND a.attnum > 0 AND NOT a.attisdropped))
    FROM jsonb_each_text(columns) AS c
    WHERE NOT EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = target AND a.attname = c.value AND a.attnum > 0 AND NOT a.attisdropped);
    SELECT c.relkind, pg_get_userbyid(c.relowner) AS owner, pg_has_role(c.relowner, 'USAGE') AS owned INTO relation FROM pg_class AS c WHERE c.oid = target;
    IF relation.relkind NOT IN ('r', 'p', 'v', 'm', 'f') THEN
        RETURN NEXT format('%s is neither a table nor a view', target);
    ELSIF key_column IS NULL THEN
        RETURN NEXT format('%s has no primary key of one column and no column id: name the column that identifies a user', target);
    ELSIF NOT relation.owned THEN
        RETURN NEXT format('%s is owned by %s, so the services cannot be granted access: create a view of its IDs and names, and name that', target, quote_ident(relation.owner));
    ELSIF relation.relkind IN ('r', 'p') AND EXISTS (
        SELECT FROM pg_attribute AS a WHERE a.attrelid = target AND a.attname = key_column AND a.attnum > 0 AND NOT a.attisdropped) THEN
        RETURN QUERY SELECT o.reason FROM feed.key_obstacles(target, ARRAY[key_column]) AS o;
    END IF;
END
$$;
COMMENT ON FUNCTION feed.user_obstacles(regclass, jsonb) IS
    'What keeps a table or view from being that of the users, with these columns; no row if nothing does. Used by feed.adoption_obstacles.';
