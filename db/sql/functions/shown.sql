-- A value of a row as people read it: text without quotes, and not more of it than fits beside others.
CREATE FUNCTION feed.shown(value jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN value IS NULL OR value = 'null' THEN 'null'
            WHEN length(value #>> '{}') > 60 THEN left(value #>> '{}', 59) || '…'
            ELSE value #>> '{}' END;
COMMENT ON FUNCTION feed.shown(jsonb) IS 'A value as feed.trigger_log shows it: at most 60 characters.';
