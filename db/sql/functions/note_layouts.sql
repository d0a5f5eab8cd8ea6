-- Notes the columns of the attached tables, so that feed.verify_log knows which column a name in the log stood for, and of which type
-- it was. What was logged with a seq up to "after" was written before the columns were looked up, and what was logged with one
-- above "upto" was written later. After a dump was restored, columns have other numbers, although no name has another meaning.
CREATE FUNCTION feed.note_layouts() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    logged bigint := coalesce(pg_sequence_last_value('feed.log_seq'), 0);
    each record;
BEGIN
    FOR each IN
        SELECT a.relation, n.columns, a.numbered <> a.relation::oid AS restored
        FROM feed.attached AS a
        JOIN pg_class AS c ON c.oid = a.relation
        CROSS JOIN LATERAL (SELECT feed.table_layout(a.relation) AS columns OFFSET 0) AS n
        WHERE n.columns IS DISTINCT FROM a.layouts -> -1 -> 'columns'
          -- A transaction that alters the table now may have logged something that is not committed. It is noted the next time.
          AND NOT EXISTS (SELECT FROM pg_locks AS l
                          WHERE l.locktype = 'relation' AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
                            AND l.relation = a.relation AND l.mode = 'AccessExclusiveLock' AND l.granted AND l.pid <> pg_backend_pid())
    LOOP
        UPDATE feed.attached AS a
        SET layouts = a.layouts || jsonb_build_object('after', logged, 'upto', coalesce(pg_sequence_last_value('feed.log_seq'), 0),
                                                      'restored', each.restored, 'columns', each.columns)
        WHERE a.relation = each.relation;
    END LOOP;
END
$$;
COMMENT ON FUNCTION feed.note_layouts() IS
    'Notes the columns of each attached table if they have changed since they were noted last. Used by feed.attach and feed.note_columns.';
