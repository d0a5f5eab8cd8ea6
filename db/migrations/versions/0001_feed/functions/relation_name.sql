CREATE FUNCTION feed.relation_name(relation oid) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (SELECT CASE WHEN c.oid = (SELECT a.relation FROM feed.adopted AS a WHERE a.role = 'opportunities') THEN 'opportunities' ELSE CASE WHEN n.nspname = 'public' AND c.relname <> 'opportunities' AND strpos(c.relname, 'feed.') <> 1 THEN c.relname::text ELSE n.nspname || '.' || c.relname END END
        FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE c.oid = relation);
COMMENT ON FUNCTION feed.relation_name(oid) IS
    'Name of a table as written in feed.log: opportunities for the table of the cards, otherwise qualified with its schema unless that is public, without quotes.';
