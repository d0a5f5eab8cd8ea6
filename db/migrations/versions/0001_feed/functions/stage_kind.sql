CREATE FUNCTION feed.stage_kind(phases jsonb, phase text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (SELECT coalesce(min(e.value ->> 'kind'), 'open')
        FROM jsonb_array_elements(CASE jsonb_typeof(phases) WHEN 'array' THEN phases ELSE '[]' END) AS e WHERE e.value ->> 'id' = phase);
COMMENT ON FUNCTION feed.stage_kind(jsonb, text) IS 'The kind of a stage of a board with these stages: open, won, or lost.';
