CREATE FUNCTION feed.default_board() RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT b.id FROM feed.boards AS b ORDER BY b.id <> 'main', b.created_at, b.id LIMIT 1
$$;
COMMENT ON FUNCTION feed.default_board() IS
    'Board of the opportunities if their table has no column board_id: main or, without such a board, the oldest.';
