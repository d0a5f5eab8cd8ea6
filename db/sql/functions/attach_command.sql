CREATE FUNCTION feed.attach_command(target text, key text[], board text, excluded text[]) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
RETURN format('SELECT feed.attach(%L, key => %L%s%s);', target,
              -- Array syntax if a name contains a character that would act as a separator.
              CASE WHEN array_to_string(key, '') ~ '[^\w$]' THEN key::text ELSE array_to_string(key, ',') END,
              ', board => ' || quote_literal(board),
              CASE WHEN excluded <> '{}' THEN ', exclude => ' || quote_literal(excluded::text) END);
COMMENT ON FUNCTION feed.attach_command(text, text[], text, text[]) IS
    'The command that attaches a table with these columns, ready to paste. Used by feed.triggers and feed.attached_tables.';
