-- The log as people read it. All that is worked out is in the list of columns, so it costs nothing to who does not select it, and a
-- LIMIT is done when it has its rows. A transaction's rows are asked for as a range, since of a log that is a few great transactions
-- the planner believes that any is found at once by reading all; of a range it knows nothing, and takes the index.
CREATE VIEW feed.trigger_log AS
SELECT l.seq, l.at, l.actor,
       CASE
           WHEN l.op = 'delete' AND EXISTS (
               SELECT FROM pg_constraint AS k
               JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
               WHERE k.contype = 'f' AND k.confdeltype = 'c' AND cardinality(k.conkey) = 1
                 AND feed.relation_name(k.conrelid) = l.relation
                 -- OFFSET keeps it a question for each foreign key, asked of an index.
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
       coalesce(l.new ->> 'title', l.old ->> 'title', l.new ->> 'name', l.old ->> 'name') AS title,
       (SELECT string_agg(f.key || ': ' || feed.shown(l.old -> f.key) || ' → ' || feed.shown(f.value), '; ' ORDER BY f.key)
        FROM jsonb_each(l.new) AS f
        WHERE l.old IS NOT NULL AND f.value IS DISTINCT FROM l.old -> f.key
          AND NOT (l.relation = 'opportunities' AND f.key IN ('version_number', 'last_sync_at'))) AS changes,
       l.version, l.xid,
       (SELECT CASE WHEN count(*) > 1000 THEN 'of more than 1000'
                    ELSE count(*) FILTER (WHERE t.seq <= l.seq) || ' of ' || count(*) END
        FROM (SELECT o.seq FROM feed.log AS o WHERE o.xid BETWEEN l.xid AND l.xid LIMIT 1001) AS t) AS step,
       l.origin, l.traceparent, l.application, l.client_addr, l.db_user, l.pid, l.rang, l.old, l.new
FROM feed.log AS l;
COMMENT ON VIEW feed.trigger_log IS
    'The log of changes as people read it: who changed what from what to what, from where, in which transaction. Newest: ORDER BY seq DESC LIMIT 20. See feed.tail, feed.history, feed.explain.';
COMMENT ON COLUMN feed.trigger_log.seq IS 'Number of the change; not the order of commits, see feed.unseen';
COMMENT ON COLUMN feed.trigger_log.at IS 'When it was written; its transaction committed later';
COMMENT ON COLUMN feed.trigger_log.actor IS 'Who: what the writer declared in feed.actor, else last_modified_by if the statement set it, else the database user';
COMMENT ON COLUMN feed.trigger_log.source IS
    'By what: cascade (deleted together with the row that it refers to ON DELETE CASCADE); api (application boardcast-api); what feed.origin begins with (job:…, migration:…, import:…, app:…); else by application_name: psql, migration, job, app (any other), unknown (none)';
COMMENT ON COLUMN feed.trigger_log.op IS 'insert, update, delete, truncate; leave and enter: one UPDATE that moved the row to another board; reload: a repair of rows of which no reader would expect that version';
COMMENT ON COLUMN feed.trigger_log.relation IS 'The table; schema.table outside public';
COMMENT ON COLUMN feed.trigger_log.key IS 'Primary key, as text; a JSON array of several columns';
COMMENT ON COLUMN feed.trigger_log.board IS 'The board whose readers are told';
COMMENT ON COLUMN feed.trigger_log.title IS 'The row''s title or name, where it has such a column';
COMMENT ON COLUMN feed.trigger_log.changes IS
    'What an update changed, column: from → to; 60 characters of each value. Without version_number and last_sync_at, which follow from it. The whole rows are in old and new';
COMMENT ON COLUMN feed.trigger_log.version IS 'version_number of the row, where it has one';
COMMENT ON COLUMN feed.trigger_log.xid IS 'The transaction';
COMMENT ON COLUMN feed.trigger_log.step IS 'Which of the transaction''s changes this is: 2 of 3. They are not numbered where there are more than 1000';
COMMENT ON COLUMN feed.trigger_log.origin IS 'feed.origin: the request or the client''s mutation that made the write';
COMMENT ON COLUMN feed.trigger_log.traceparent IS 'feed.traceparent: the W3C trace context of the write; its second part is the trace''s id';
COMMENT ON COLUMN feed.trigger_log.application IS 'application_name';
COMMENT ON COLUMN feed.trigger_log.client_addr IS 'Null over a Unix socket';
COMMENT ON COLUMN feed.trigger_log.db_user IS 'session_user';
COMMENT ON COLUMN feed.trigger_log.pid IS 'Backend process';
COMMENT ON COLUMN feed.trigger_log.rang IS 'Whether the write rang the doorbell; if not, a pacer was sweeping and rang for it';
COMMENT ON COLUMN feed.trigger_log.old IS 'The row before';
COMMENT ON COLUMN feed.trigger_log.new IS 'The row after';
