-- Moves the changes that the triggers of a statement made behind the statement's own change of the same row, so that for each row
-- the log has the order in which its versions existed. feed.capture() calls it when other changes were logged while its statement ran:
-- by statements in triggers, or by another part of the same statement (a row deleted in WITH and inserted again).
--
-- since: where the log stood when the statement began; logged: where it stood before the statement itself was logged.
--
-- Only an INSERT can come after what was logged before it: PostgreSQL refuses to update or delete a row that a trigger of the same
-- statement has changed already. But a trigger may make room for a row (DELETE before INSERT). Then the row existed before, and
-- what happened up to that DELETE stays where it is.
--
-- A statement may have changed many rows, and a transaction may have many such statements. So this reads the log once, from where
-- the statement began, and finds the changes of one row with window functions: a join would be planned for a few rows.
CREATE FUNCTION feed.sort_nested(relation_name text, since bigint, logged bigint) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, feed, pg_temp
-- One plan, made once, with index scans on seq only: the range is short, but the planner cannot know that.
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
#variable_conflict use_variable
DECLARE
    current_xid xid8 := pg_current_xact_id();
BEGIN
    WITH logged_since AS MATERIALIZED (
        SELECT r.seq, r.partition_number, r.key, r.op, r.seq > logged AS own
        FROM (SELECT l.seq, l.partition_number, l.xid, l.relation, l.key, l.op FROM feed.log AS l
              WHERE l.seq > since AND l.partition_number >= feed.first_partition_since(current_xid) OFFSET 0) AS r
        WHERE r.xid = current_xid AND r.relation = relation_name
    ), changes AS (
        SELECT c.*, bool_or(c.own) OVER same AS has_own, max(c.seq) FILTER (WHERE c.own AND c.op = 'insert') OVER same AS own_insert,
               row_number() OVER in_order AS place, lead(c.op) OVER in_order AS next_op, lead(c.own) OVER in_order AS next_own
        FROM logged_since AS c
        WINDOW same AS (PARTITION BY c.key), in_order AS (PARTITION BY c.key ORDER BY c.seq)
    ), nested AS (
        SELECT n.*, min(n.place) FILTER (WHERE n.op = 'delete' AND (n.next_own OR n.next_op <> 'insert')) OVER (PARTITION BY n.key) AS room_made
        FROM changes AS n
        WHERE n.has_own AND NOT n.own
    ), judged AS (
        -- Whether a row was there before an INSERT. Then what was logged up to the DELETE that made room for it came before.
        SELECT n.*, bool_or(n.own_insert IS NOT NULL AND n.place = 1
                            AND CASE n.op WHEN 'insert' THEN true
                                ELSE coalesce((SELECT p.op <> 'delete' FROM feed.log AS p
                                               WHERE p.relation = relation_name AND p.key = n.key AND p.seq <= since
                                               ORDER BY p.seq DESC LIMIT 1),
                                              (SELECT f.old FROM feed.log AS f WHERE f.seq = n.seq)
                                              IS DISTINCT FROM (SELECT o.new FROM feed.log AS o WHERE o.seq = n.own_insert)) END)
                    OVER (PARTITION BY n.key) AS was_there
        FROM nested AS n
    )
    UPDATE feed.log AS l SET seq = m.seq, at = clock_timestamp()
    FROM (SELECT w.seq AS was, w.partition_number, nextval('feed.log_seq') AS seq
          FROM (SELECT j.seq, j.partition_number FROM judged AS j
                WHERE j.place > CASE WHEN j.was_there THEN coalesce(j.room_made, 0) ELSE 0 END
                ORDER BY j.seq OFFSET 0) AS w) AS m
    WHERE l.seq = m.was AND l.partition_number = m.partition_number;
END
$$;
COMMENT ON FUNCTION feed.sort_nested(text, bigint, bigint) IS
    'Sorts what was logged while a statement ran: for each row, the statement''s own change comes before those of its triggers.';
