-- Text without quotes, shortened so that several values fit on a line.
CREATE FUNCTION feed.display_value(value jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN value IS NULL OR value = 'null' THEN 'null'
            WHEN length(value #>> '{}') > 60 THEN left(value #>> '{}', 57) || '...'
            ELSE value #>> '{}' END;
COMMENT ON FUNCTION feed.display_value(jsonb) IS 'A value as feed.trigger_log shows it, at most 60 characters long.';
