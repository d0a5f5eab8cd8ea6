-- Whether the UPDATE that runs sets last_modified_by. The column still holds the author of the previous change otherwise, so an
-- UPDATE that does not set it would be attributed to that author.
--
-- A trigger for UPDATE OF last_modified_by would be exact, but the application could then neither drop the column nor change its
-- type. So the text of the statement is read: the client's or, in a function, the one in the call stack behind feed.capture. The text
-- does not show an UPDATE of a view, or one in a function in SQL; but an author who differs from the previous one is recorded in any
-- case (see feed.capture).
--
-- statement: the client's, in lower case, if it looks like an UPDATE of this table; null if it is to be looked for.
CREATE FUNCTION feed.names_author(statement text, table_schema text, table_name text) RETURNS boolean
LANGUAGE plpgsql STABLE
AS $$
#variable_conflict use_variable
DECLARE
    stack text;
    target text;
    part text;
    texts CONSTANT text := '''[^'']*''';
    part_of_update CONSTANT text := '((?!\m(where|returning|update)\M).)*';
BEGIN
    IF pg_catalog.octet_length(statement) OPERATOR(pg_catalog.>) 10000 THEN
        statement := NULL;
    END IF;
    -- Almost every statement is one UPDATE without a subquery. The regular expression at the end would cost as much as half of the
    -- write.
    IF pg_catalog.strpos(statement, '''') OPERATOR(pg_catalog.>) 0 THEN
        statement := pg_catalog.regexp_replace(statement, texts, '', 'g');
    END IF;
    IF statement OPERATOR(pg_catalog.!~) '\t|select |.update ' THEN
        RETURN pg_catalog.strpos(pg_catalog.split_part(pg_catalog.split_part(pg_catalog.replace(statement, E'\n', ' '), ' where ', 1), ' returning ', 1),
                                 'last_modified_by') OPERATOR(pg_catalog.>) 0;
    END IF;
    -- The first two lines are this function's and that of feed.capture. If no function runs the UPDATE, nothing follows. Otherwise the
    -- next line that names a function of PL/pgSQL belongs to the caller of the statement. The other words of the line are in the
    -- language of lc_messages.
    GET DIAGNOSTICS stack = PG_CONTEXT;
    statement := pg_catalog.regexp_replace(stack, '^[^\n]*\n[^\n]*|\n[^\n]*PL/pgSQL.*', '', 'g');
    IF statement OPERATOR(pg_catalog.=) '' THEN
        statement := pg_catalog.current_query();
        SELECT p.statement INTO statement FROM pg_catalog.pg_prepared_statements AS p
        WHERE p.name OPERATOR(pg_catalog.=) (pg_catalog.parse_ident(pg_catalog.substring(statement, '(?i)^\s*execute\s+("(?:[^"]|"")+"|\w+)')))[1];
        IF NOT FOUND THEN
            statement := pg_catalog.current_query();
        END IF;
    END IF;
    -- What is set stands near the beginning or the end. Each of a thousand UPDATEs in one text would read all of it otherwise.
    IF pg_catalog.octet_length(statement) OPERATOR(pg_catalog.>) 10000 THEN
        statement := pg_catalog.concat(pg_catalog.regexp_replace(pg_catalog.left(statement, 4000), texts, '', 'g'),
            pg_catalog.reverse(pg_catalog.regexp_replace(pg_catalog.reverse(pg_catalog.right(statement, 4000)), texts, '', 'g')));
    END IF;
    IF statement OPERATOR(pg_catalog.!~~*) '%last_modified_by%' THEN
        RETURN false;
    END IF;
    -- Function calls and subqueries may have conditions of their own, or more such parentheses.
    FOREACH part IN ARRAY ARRAY[texts, '\w\([^()]*\)', '\w\([^()]*\)', '\(\s*select\M[^()]*\)', '\(\s*select\M[^()]*\)'] LOOP
        statement := pg_catalog.regexp_replace(statement, part, '', 'gi');
    END LOOP;
    -- A statement may have several parts, which update several tables: UPDATE, INSERT ... ON CONFLICT and MERGE name theirs.
    target := pg_catalog.concat('("?', pg_catalog.regexp_replace(table_schema, '(\W)', '\\\1', 'g'), '"?\s*[.]\s*)?"?',
                                pg_catalog.regexp_replace(table_name, '(\W)', '\\\1', 'g'), '(?!\w)');
    RETURN statement OPERATOR(pg_catalog.~*) pg_catalog.concat('(\mupdate\s+(only\s+)?', target, '|\minto\s+', target, '.*\mupdate\M)',
                                                               part_of_update, '\mset\M', part_of_update, '\mlast_modified_by\M');
END
$$;
COMMENT ON FUNCTION feed.names_author(text, text, text) IS
    'Whether the running UPDATE of this table sets last_modified_by. Used by feed.capture.';
