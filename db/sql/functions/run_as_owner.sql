-- A role that writes to a table runs its triggers, checks, defaults and expressions, and a role that reads a view runs its functions.
-- So a migration does neither with its own rights, but with those of the owner. What code of the owner could leave behind for the
-- session is removed: constraint triggers that are deferred, cursors that stay open, and a search_path.
--
-- statement: returns one array; $1 and $2 are "keys" and "images". It cannot use anything in schema feed. There is no SET search_path,
-- because the one of the caller has to be restored; all names are qualified instead.
CREATE FUNCTION feed.run_as_owner(target regclass, statement text, keys text[] DEFAULT NULL, images jsonb[] DEFAULT NULL) RETURNS text[]
LANGUAGE plpgsql
AS $$
DECLARE
    path CONSTANT text := pg_catalog.current_setting('search_path');
    owner CONSTANT name := (SELECT pg_catalog.pg_get_userbyid(c.relowner) FROM pg_catalog.pg_class AS c WHERE c.oid OPERATOR(pg_catalog.=) target::pg_catalog.oid);
    result text[];
    left_open text;
BEGIN
    IF owner OPERATOR(pg_catalog.=) CURRENT_USER THEN
        EXECUTE statement INTO result USING keys, images;
        RETURN result;
    END IF;
    EXECUTE pg_catalog.format('CREATE FUNCTION pg_temp.feed_run_as_owner(keys text[], images jsonb[]) RETURNS text[] LANGUAGE plpgsql SECURITY DEFINER '
                              'SET search_path = pg_catalog, pg_temp AS %L', pg_catalog.format(
        'DECLARE result text[]; BEGIN EXECUTE %L INTO result USING keys, images; SET CONSTRAINTS ALL IMMEDIATE; RETURN result; END', statement));
    EXECUTE pg_catalog.format('ALTER FUNCTION pg_temp.feed_run_as_owner(text[], jsonb[]) OWNER TO %I', owner);
    EXECUTE 'SELECT pg_temp.feed_run_as_owner($1, $2)' INTO result USING keys, images;
    IF pg_catalog.current_setting('search_path') OPERATOR(pg_catalog.<>) path THEN
        PERFORM pg_catalog.set_config('search_path', path, false);
    END IF;
    DROP FUNCTION pg_temp.feed_run_as_owner(text[], jsonb[]);
    FOR left_open IN SELECT c.name FROM pg_catalog.pg_cursors AS c WHERE c.is_holdable LOOP
        EXECUTE pg_catalog.format('CLOSE %I', left_open);
    END LOOP;
    RETURN result;
END
$$;
COMMENT ON FUNCTION feed.run_as_owner(regclass, text, text[], jsonb[]) IS
    'Runs a statement that reads or writes a table of the application with the rights of its owner, and returns its array. Used by feed.mend.';
