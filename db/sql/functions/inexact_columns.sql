-- Examples: json loses its spaces, and the floating-point numbers 0 and -0 have the same JSON.
CREATE FUNCTION feed.inexact_columns(target oid) RETURNS text[]
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(array_agg(a.attname::text), '{}')
    FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
    WHERE a.attrelid = target AND a.attnum > 0 AND NOT a.attisdropped AND t.typtype <> 'e'
      AND t.oid <> ALL ('{bool,int2,int4,int8,numeric,text,varchar,bpchar,uuid,date,timestamp,timestamptz,jsonb,bytea}'::regtype[])
$$;
COMMENT ON FUNCTION feed.inexact_columns(oid) IS
    'Columns of a table in which two different values may have the same JSON. Used by feed.compact_change.';
