-- What takes long (reading all rows for their boards) comes before the first lock, and nothing that takes long comes after it.
CREATE FUNCTION feed.mend_structure() RETURNS SETOF text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE feed.adopted AS a SET relation = n.relation
    FROM (SELECT w.role, to_regclass(coalesce(w.name, 'public.' || w.role)) AS relation FROM feed.adopted AS w) AS n
    WHERE n.role = a.role AND n.relation IS NOT NULL AND NOT EXISTS (SELECT FROM pg_class AS c WHERE c.oid = a.relation);
    INSERT INTO feed.adopted (role, relation, created)
    SELECT 'users', feed.users_table(), false
    WHERE feed.users_table() IS NOT NULL AND EXISTS (SELECT FROM feed.adopted AS a WHERE a.role = 'opportunities')
    ON CONFLICT DO NOTHING;

    RETURN QUERY SELECT feed.note_columns();
    RETURN QUERY SELECT feed.mend_boards();
    RETURN QUERY SELECT feed.mend_privileges();
    RETURN QUERY SELECT feed.mend_columns();
    RETURN QUERY SELECT feed.mend_triggers();
    RETURN QUERY SELECT feed.mend_versions();
    RETURN QUERY SELECT feed.mend_former_users();
END
$$;
COMMENT ON FUNCTION feed.mend_structure() IS
    'Restores boards, columns, triggers and privileges, and returns what it did. End the transaction right after it, so that its locks are held only for a moment. Used by feed.mend.';
