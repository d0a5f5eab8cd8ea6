-- jsonb holds at most 256 MB. If the values are more together, those of more than 1 MB are left out.
CREATE FUNCTION feed.columns_image(names text[], images jsonb[]) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (SELECT jsonb_object_agg(c.name, c.image) FROM unnest(names, images) AS c(name, image));
EXCEPTION WHEN program_limit_exceeded THEN
    RETURN (SELECT jsonb_object_agg(c.name, CASE WHEN pg_column_size(c.image) > 1048576
                                                 THEN jsonb_build_object('$omitted', pg_column_size(c.image)) ELSE c.image END)
            FROM unnest(names, images) AS c(name, image));
END
$$;
COMMENT ON FUNCTION feed.columns_image(text[], jsonb[]) IS 'The image of a row, from the images of its columns. See feed.value_image.';
