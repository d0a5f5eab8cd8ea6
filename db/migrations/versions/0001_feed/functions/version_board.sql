-- A change over the API replaces only the version that its user saw, so changes that are made in SQL have to count, too.
CREATE FUNCTION feed.version_board() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    NEW.version_number := OLD.version_number;
    IF NEW IS DISTINCT FROM OLD THEN
        -- A program may have inserted the largest number, after which the row could never be changed.
        NEW.version_number := CASE WHEN OLD.version_number < 2147483647 THEN OLD.version_number + 1 ELSE 1 END;
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION feed.version_board() IS 'Trigger of boards: increments version_number by one on each UPDATE that changes something.';
