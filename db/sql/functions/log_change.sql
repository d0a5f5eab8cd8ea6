-- Logs one change; see feed.capture(), which logs the rows of a statement together.
CREATE FUNCTION feed.log_change(target oid, relation text, board_column text, key_columns text[], before jsonb, after jsonb,
                                named boolean, nested boolean, sends_notify boolean) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, feed, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    written bigint;
BEGIN
    INSERT INTO feed.log (relation, op, key, board, old, new, delta, image_hash, version, parents,
                          actor, origin, db_user, application, client_addr, pid, notified, image_bytes)
    SELECT relation, CASE WHEN changed.key IS NULL THEN 'reload' ELSE step.op END, changed.key,
           CASE WHEN step.op IN ('leave', 'delete') THEN changed.board_before ELSE changed.board_after END,
           CASE WHEN compact.delta IS NULL THEN before ELSE compact.old END,
           CASE WHEN compact.delta IS NULL THEN after ELSE compact.new END, compact.delta, compact.image_hash,
           feed.version_number(coalesce(after, before)), nullif(current_setting('feed.parents', true), '')::integer[],
           coalesce(nullif(current_setting('feed.actor', true), ''), 
                    CASE WHEN named OR before -> 'last_modified_by' IS DISTINCT FROM after -> 'last_modified_by'
                         THEN after ->> 'last_modified_by' END, session_user),
           nullif(current_setting('feed.origin', true), ''),
           session_user, current_setting('application_name'), inet_client_addr(), pg_backend_pid(), sends_notify,
           CASE WHEN compact.delta IS NULL THEN nullif(greatest(pg_column_size(before), pg_column_size(after), 65536), 65536)
                ELSE compact.image_bytes END
    FROM (SELECT feed.short_key(feed.row_key(coalesce(after, before), key_columns)) AS key,
                 coalesce(before ->> board_column, feed.missing_column(target, before, ARRAY[board_column])) AS board_before,
                 coalesce(after ->> board_column, feed.missing_column(target, after, ARRAY[board_column])) AS board_after) AS changed
    CROSS JOIN LATERAL unnest(
        CASE WHEN before IS NULL THEN '{insert}'::text[]
             WHEN after IS NULL THEN '{delete}'::text[]
             WHEN changed.board_before IS DISTINCT FROM changed.board_after THEN '{leave,enter}'::text[]
             ELSE '{update}'::text[] END) WITH ORDINALITY AS step(op, place)
    LEFT JOIN LATERAL feed.compact_change(target, relation, step.op, changed.key, before, after) AS compact
        ON before IS NOT NULL AND after IS NOT NULL AND NOT nested
    ORDER BY step.place;
    GET DIAGNOSTICS written = ROW_COUNT;
    RETURN written;
END
$$;
COMMENT ON FUNCTION feed.log_change(oid, text, text, text[], jsonb, jsonb, boolean, boolean, boolean) IS
    'Logs the change of one row, from its images before and after. Used by feed.capture.';
