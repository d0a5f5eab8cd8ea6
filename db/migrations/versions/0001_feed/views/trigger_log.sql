-- The change log in readable form. Everything computed is in the select list, so columns that are not selected cost
-- nothing, and a LIMIT stops as soon as it has its rows. The rows of a transaction are looked up as a range (BETWEEN l.xid
-- AND l.xid): if the log consists of a few large transactions, the planner expects an equality condition to match quickly
-- and chooses a sequential scan; for a range it uses the index.
CREATE VIEW feed.trigger_log AS
SELECT l.seq, l.at, l.actor,
       CASE
           WHEN l.op = 'delete' AND EXISTS (
               SELECT FROM pg_constraint AS k
               JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
               WHERE k.contype = 'f' AND k.confdeltype = 'c' AND cardinality(k.conkey) = 1
                 AND feed.relation_name(k.conrelid) = l.relation
                 -- OFFSET 0 keeps this an index lookup for each foreign key.
                 AND EXISTS (SELECT FROM feed.log AS parent
                             WHERE parent.relation = feed.relation_name(k.confrelid) AND parent.key = l.old ->> a.attname
                               AND parent.xid BETWEEN l.xid AND l.xid AND parent.op = 'delete' OFFSET 0)) THEN 'cascade'
           WHEN l.application LIKE 'boardcast-api%' THEN 'api'
           WHEN l.origin ~ '^(api|psql|migration|job|import|app)(:|$)' THEN split_part(l.origin, ':', 1)
           WHEN l.application = 'psql' THEN 'psql'
           WHEN l.application ~* '(migrat|alembic|flyway|liquibase|drizzle-kit|prisma)' THEN 'migration'
           WHEN l.application ~* '(cron|job|worker|batch|queue|schedul)' THEN 'job'
           WHEN l.application <> '' THEN 'app'
           ELSE 'unknown'
       END AS source,
       l.op, l.relation, l.key, l.board,
       CASE WHEN l.relation = 'opportunities' AND (SELECT n.names FROM feed.card_names() AS n) ? 'title'
            THEN feed.card_image(coalesce(c.image, l.old), (SELECT n.names FROM feed.card_names() AS n)) ->> 'title'
            ELSE coalesce(l.new ->> 'title', l.old ->> 'title', l.new ->> 'name', l.old ->> 'name',
                          CASE WHEN l.delta > 0 THEN coalesce(c.image ->> 'title', c.image ->> 'name') END) END AS title,
       (SELECT string_agg(f.key || ': ' || feed.display_value(l.old -> f.key) || ' -> ' || feed.display_value(f.value), '; ' ORDER BY f.key)
        FROM jsonb_each(l.new) AS f
        WHERE l.old IS NOT NULL AND (l.delta IS NULL AND f.value IS DISTINCT FROM l.old -> f.key
                                     OR l.delta IS NOT NULL AND l.old ? f.key)
          AND NOT (l.relation = 'opportunities' AND f.key IN ('version_number', 'last_sync_at'))) AS changes,
       l.version, l.xid,
       (SELECT CASE WHEN count(*) > 1000 THEN 'of more than 1000'
                    ELSE count(*) FILTER (WHERE t.seq <= l.seq) || ' of ' || count(*) END
        FROM (SELECT o.seq FROM feed.log AS o WHERE o.xid BETWEEN l.xid AND l.xid LIMIT 1001) AS t) AS step,
       l.origin, feed.valid_traceparent(l.traceparent) AS traceparent, l.application, l.client_addr, l.db_user, l.pid, l.notified,
       feed.image_before(l.relation, l.key, l.seq, l.op, l.old, l.new, l.delta) AS old,
       feed.image_after(l.relation, l.key, l.seq, l.op, l.old, l.new, l.delta) AS new
FROM feed.log AS l
CROSS JOIN LATERAL (SELECT feed.image_after(l.relation, l.key, l.seq, l.op, l.old, l.new, l.delta) AS image) AS c;
COMMENT ON VIEW feed.trigger_log IS
    'The change log in readable form: who changed which columns, from where, and in which transaction. For the newest changes, use ORDER BY seq DESC LIMIT 20. See also feed.tail, feed.history and feed.explain.';
COMMENT ON COLUMN feed.trigger_log.seq IS 'Sequence number of the change. It is not the commit order; see feed.changes_since.';
COMMENT ON COLUMN feed.trigger_log.at IS 'When the change was written; its transaction committed later';
COMMENT ON COLUMN feed.trigger_log.actor IS
    'Who made the change: feed.actor if the writer set it; otherwise last_modified_by if the statement set it; otherwise the database user';
COMMENT ON COLUMN feed.trigger_log.source IS
    'What made the change: cascade (deleted together with the row that it references with ON DELETE CASCADE); api (application_name starts with boardcast-api); the first part of feed.origin (api, psql, migration, job, import or app, before a colon); otherwise, from application_name: psql, migration, job, app (any other) or unknown (none)';
COMMENT ON COLUMN feed.trigger_log.op IS
    'insert, update, delete or truncate; leave and enter: one UPDATE that moved the row to another board; reload: a repair after which readers must load the table again';
COMMENT ON COLUMN feed.trigger_log.relation IS 'The table. Qualified with its schema unless that is public.';
COMMENT ON COLUMN feed.trigger_log.key IS 'Primary key as text; a JSON array if it has several columns';
COMMENT ON COLUMN feed.trigger_log.board IS 'Board whose clients receive the change; null: none';
COMMENT ON COLUMN feed.trigger_log.title IS 'The title or name of the row, if it has such a column';
COMMENT ON COLUMN feed.trigger_log.changes IS
    'Columns that an update changed, as column: old -> new, each value shortened to 60 characters. version_number and last_sync_at of opportunities are left out because they change with every update. The complete rows are in old and new.';
COMMENT ON COLUMN feed.trigger_log.version IS 'version_number of the row, if the table has that column';
COMMENT ON COLUMN feed.trigger_log.xid IS 'Top-level transaction ID';
COMMENT ON COLUMN feed.trigger_log.step IS
    'Position among the changes of the transaction, such as 2 of 3. Changes are not numbered if there are more than 1000.';
COMMENT ON COLUMN feed.trigger_log.origin IS 'feed.origin: the request or client mutation that made the write';
COMMENT ON COLUMN feed.trigger_log.traceparent IS
    'feed.traceparent: W3C trace context of the write. Its second part is the trace ID.';
COMMENT ON COLUMN feed.trigger_log.application IS 'application_name';
COMMENT ON COLUMN feed.trigger_log.client_addr IS 'Client address; null for a Unix socket';
COMMENT ON COLUMN feed.trigger_log.db_user IS 'session_user';
COMMENT ON COLUMN feed.trigger_log.pid IS 'Process ID of the backend';
COMMENT ON COLUMN feed.trigger_log.notified IS
    'Whether the writing transaction sent NOTIFY. If not, the pacer sent it, or NOTIFY was switched off.';
COMMENT ON COLUMN feed.trigger_log.old IS 'The row before the change';
COMMENT ON COLUMN feed.trigger_log.new IS 'The row after the change';
