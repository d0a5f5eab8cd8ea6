-- For json, arrays and types with a cast to json, the text of a value does not determine its JSON form: 1 and "1" have the
-- same text.
CREATE FUNCTION feed.plain_relations() RETURNS text[]
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (SELECT coalesce(array_agg(feed.relation_name(a.relation)), '{}')
        FROM feed.attached AS a
        JOIN pg_class AS r ON r.oid = a.relation
        WHERE NOT EXISTS (
            SELECT FROM pg_attribute AS c JOIN pg_type AS t ON t.oid = c.atttypid
            WHERE c.attrelid = a.relation AND c.attnum > 0 AND t.typtype <> 'e'
              AND t.oid <> ALL ('{bool,int2,int4,int8,float4,float8,numeric,text,varchar,bpchar,uuid,date,timestamp,timestamptz}'::regtype[])));
COMMENT ON FUNCTION feed.plain_relations() IS
    'Attached tables for which two values in row images are equal if their texts (->>) are equal.';
