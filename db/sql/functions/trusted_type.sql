-- Conversions of any other type may run code of its owner: CREATE CAST names a function, also for a conversion to text or json. Only a
-- superuser can create a base type. A domain is converted like the type below it, but a value that becomes one is checked first.
CREATE FUNCTION feed.trusted_type(type oid) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    WITH RECURSIVE base AS (
        SELECT y.* FROM pg_type AS y WHERE y.oid = type
        UNION ALL
        SELECT y.* FROM base AS b JOIN pg_type AS y ON b.typtype = 'd' AND y.oid = b.typbasetype
    )
    SELECT b.typnamespace = 'pg_catalog'::regnamespace OR b.typtype = 'b' AND b.typelem = 0 FROM base AS b WHERE b.typtype <> 'd'
$$;
COMMENT ON FUNCTION feed.trusted_type(oid) IS 'Whether values of a type can be converted to text and to JSON without running code of an application.';
