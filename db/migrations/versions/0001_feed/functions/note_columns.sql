-- Notes the names that the columns of fields have now, so that changes which were logged under them can still be read after the
-- next RENAME COLUMN; and that a stage or an owner is not text, so that clients get its text. After a dump was restored, columns have
-- other numbers.
CREATE FUNCTION feed.note_columns() RETURNS SETOF text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    each record;
BEGIN
    PERFORM feed.note_layouts();
    UPDATE feed.attached AS a
    SET numbered = a.relation,
        columns = (SELECT coalesce(jsonb_object_agg(c.attname, c.attnum), '{}') FROM pg_attribute AS c
                   WHERE c.attrelid = a.relation AND c.attname = ANY (a.key || a.board || a.excluded) AND NOT c.attisdropped)
    WHERE a.numbered <> a.relation::oid AND EXISTS (SELECT FROM pg_class AS c WHERE c.oid = a.relation);
    FOR each IN
        SELECT m.role, m.field, m.mapping -> 'names' AS names, c.attname::text AS name,
               jsonb_build_object('names', CASE WHEN m.mapping -> 'names' ->> -1 = c.attname THEN m.mapping -> 'names'
                                                ELSE coalesce(m.mapping -> 'names', '[]') || to_jsonb(c.attname) END,
                                  'number', c.attnum, 'table', c.attrelid::bigint) AS present, m.mapping
        FROM (SELECT a.role, a.relation, e.key AS field, e.value AS mapping, feed.mapped_column(a.relation, e.value) AS name
              FROM feed.adopted AS a CROSS JOIN LATERAL jsonb_each(a.columns) AS e
              UNION ALL
              SELECT a.role, a.relation, f.field, NULL, f.name
              FROM feed.adopted AS a CROSS JOIN LATERAL feed.field_columns() AS f
              WHERE a.role = 'opportunities' AND f.field IN ('phase', 'owner_id') AND NOT a.columns ? f.field
                AND EXISTS (SELECT FROM pg_attribute AS t JOIN pg_type AS y ON y.oid = t.atttypid
                            WHERE t.attrelid = a.relation AND t.attname = f.name AND (y.typcategory IN ('N', 'B')))) AS m
        JOIN pg_attribute AS c ON c.attrelid = m.relation AND c.attname = m.name
    LOOP
        IF each.present IS DISTINCT FROM each.mapping THEN
            UPDATE feed.adopted AS a SET columns = a.columns || jsonb_build_object(each.field, each.present) WHERE a.role = each.role;
            IF each.names ->> -1 <> each.name THEN
                RETURN NEXT format('noted that column %s is now %s', each.names ->> -1, each.name);
            END IF;
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION feed.note_columns() IS 'Records the current names and numbers of the columns that were named in feed.adopt and feed.attach, and the columns of the attached tables. Used by feed.mend and feed.maintain.';
