-- pg_trigger keeps the arguments as bytes, each with a zero behind it, and no function of PostgreSQL takes them apart.
CREATE FUNCTION feed.trigger_arguments(tgargs bytea) RETURNS text[]
LANGUAGE sql STABLE
AS $$
    SELECT array_agg(convert_from(decode(replace(a.hex, ' ', ''), 'hex'), getdatabaseencoding()) ORDER BY a.place)
    FROM unnest(string_to_array(regexp_replace(encode(tgargs, 'hex'), '(..)', '\1 ', 'g'), '00 '))
         WITH ORDINALITY AS a(hex, place)
    WHERE a.place <= array_length(string_to_array(regexp_replace(encode(tgargs, 'hex'), '(..)', '\1 ', 'g'), '00 '), 1) - 1
$$;
COMMENT ON FUNCTION feed.trigger_arguments(bytea) IS
    'The arguments of a trigger, as pg_trigger.tgargs has them. Those of feed.capture: the board column ('''' for none), then the key columns.';
