-- What json, an array or a type with a cast of its own becomes in an image is not said by its text: 1 and "1" have the same.
CREATE FUNCTION feed.plain_relations() RETURNS text[]
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (SELECT coalesce(array_agg(feed.relation_name(a.relation)), '{}')
        FROM feed.attached AS a
        WHERE NOT EXISTS (
            SELECT FROM pg_attribute AS c JOIN pg_type AS t ON t.oid = c.atttypid
            WHERE c.attrelid = a.relation AND c.attnum > 0 AND t.typtype <> 'e'
              AND t.oid <> ALL ('{bool,int2,int4,int8,float4,float8,numeric,text,varchar,bpchar,uuid,date,timestamp,timestamptz}'::regtype[])));
COMMENT ON FUNCTION feed.plain_relations() IS
    'The fed tables of whose images two values of a column are the same if their texts (->>) are.';
