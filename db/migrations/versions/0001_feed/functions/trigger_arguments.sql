-- pg_trigger stores the arguments as bytes, each terminated by a zero byte, and PostgreSQL has no function to split them.
-- They are the name under which the table is logged ('' for its own), the board column ('' for none), and the key column. If the key
-- has several columns, or columns are excluded, '' takes the place of the key column, and then come the key columns and, if columns
-- are excluded, '' and these.
--
-- The format "escape" writes a zero byte as \000 and a backslash as two. Meanwhile these two are one character that it does not
-- write, so that a column named \000 is not split. The strings mean the same whatever standard_conforming_strings is.
CREATE FUNCTION feed.trigger_arguments(tgargs bytea, OUT board text, OUT key text[], OUT excluded text[])
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    names text[] := string_to_array(replace(encode(tgargs, 'escape'), E'\\\\', chr(255)), E'\\000');
    place integer;
BEGIN
    excluded := '{}';
    IF tgargs IS NULL OR tgargs = '' THEN
        RETURN;
    END IF;
    FOR i IN 1..cardinality(names) LOOP
        -- Names in ASCII, as almost all are, need no decoding.
        IF strpos(names[i], E'\\') > 0 OR strpos(names[i], chr(255)) > 0 THEN
            names[i] := convert_from(decode(replace(names[i], chr(255), E'\\\\'), 'escape'), getdatabaseencoding());
        END IF;
    END LOOP;
    board := nullif(names[2], '');
    names := CASE WHEN names[3] = '' THEN names[4:] ELSE names[3:] END;
    names := names[:cardinality(names) - 1]; -- what follows the last zero byte
    place := coalesce(array_position(names, ''), cardinality(names) + 1);
    key := names[:place - 1];
    excluded := names[place + 1:];
END
$$;
COMMENT ON FUNCTION feed.trigger_arguments(bytea) IS
    'Arguments of a trigger that calls feed.capture, from pg_trigger.tgargs: the board column, the key columns and the excluded columns.';
