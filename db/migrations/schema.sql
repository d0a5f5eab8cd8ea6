--
-- PostgreSQL database dump
--

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: feed; Type: SCHEMA; Schema: -; Owner: feed_owner
--

CREATE SCHEMA feed;

ALTER SCHEMA feed OWNER TO feed_owner;

--
-- Name: SCHEMA feed; Type: COMMENT; Schema: -; Owner: feed_owner
--

COMMENT ON SCHEMA feed IS 'boardcast: the log of changes, its triggers and its readers';

--
-- Name: attach(regclass, text, text, text[]); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.attach(target regclass, key text DEFAULT NULL::text, board text DEFAULT NULL::text, exclude text[] DEFAULT '{}'::text[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
    excluded text[] := ARRAY(SELECT DISTINCT c FROM unnest(exclude) AS c ORDER BY 1);
    key_columns text[];
    arguments text;
    key_changed text;
    key_set text;
    wrong text;
    earlier feed.attached;
BEGIN
    PERFORM feed.check_table(target);
    IF key IS NULL THEN
        SELECT array_agg(a.attname ORDER BY k.place) INTO key_columns
        FROM pg_index AS i
        CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k(attnum, place)
        JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
        WHERE i.indrelid = target AND i.indisprimary AND k.place <= i.indnkeyatts;
        IF key_columns IS NULL THEN
            RAISE EXCEPTION 'table % has no primary key, so its rows cannot be identified', target
                USING ERRCODE = 'invalid_table_definition', HINT = 'Add a primary key, or name a unique column with key => ''...''.';
        END IF;
    ELSIF EXISTS (SELECT FROM pg_attribute WHERE attrelid = target AND attname = key AND attnum > 0 AND NOT attisdropped) THEN
        key_columns := ARRAY[key];
    ELSIF key LIKE '{%}' THEN
        key_columns := key::text[]; -- for several columns with a comma or outer spaces in a name
    ELSE
        key_columns := ARRAY(SELECT btrim(part) FROM unnest(string_to_array(key, ',')) AS part);
    END IF;
    SELECT c.name INTO wrong FROM unnest(key_columns || board || excluded) AS c(name)
    WHERE c.name IS NOT NULL
      AND NOT EXISTS (SELECT FROM pg_attribute
                      WHERE attrelid = target AND attname = c.name AND attnum > 0 AND NOT attisdropped);
    IF FOUND THEN
        RAISE EXCEPTION 'table % has no column %', target, quote_ident(wrong) USING ERRCODE = 'undefined_column',
            HINT = 'Write names exactly as created, without quotes. The columns are: ' || (
                SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute
                WHERE attrelid = target AND attnum > 0 AND NOT attisdropped) || '.';
    END IF;
    PERFORM feed.check_key(target, key_columns);
    SELECT format_type(a.atttypid, NULL) INTO wrong FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
    WHERE a.attrelid = target AND a.attname = 'version_number' AND t.typcategory <> 'N';
    IF FOUND THEN
        RAISE EXCEPTION 'column version_number of table % is of type %, but the log needs a number', target, wrong
            USING ERRCODE = 'datatype_mismatch', HINT = 'Rename the column, or change its type to integer.';
    END IF;
    -- Boards are read from the table as well as from the log, and memberships are taken from the log, so both must be
    -- complete.
    IF excluded <> '{}' AND target IN (to_regclass('public.opportunities'), to_regclass('public.boards'), to_regclass('public.board_members')) THEN
        RAISE EXCEPTION 'columns of table % cannot be excluded: boards are built from its rows in the log', target
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Call feed.attach without exclude.';
    END IF;
    -- A virtual column is computed when it is read. A trigger sees null, which would be logged as its value.
    excluded := ARRAY(SELECT DISTINCT c.name FROM unnest(excluded || ARRAY(
        SELECT attname::text FROM pg_attribute WHERE attrelid = target AND attgenerated = 'v' AND NOT attisdropped)) AS c(name) ORDER BY 1);
    SELECT c INTO wrong FROM unnest(excluded) AS c
    WHERE c = ANY (key_columns || coalesce(board, '')::text || '{version_number,last_modified_by}'::text[]) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'column % of table % cannot be excluded: the feed itself needs it', quote_ident(wrong), target
            USING ERRCODE = 'invalid_parameter_value', HINT = 'The key, the board, version_number and last_modified_by must be logged, so they can be neither excluded nor virtual columns.';
    END IF;

    SELECT a.* INTO earlier FROM feed.attached AS a WHERE a.relation = target;
    IF EXISTS (
        SELECT FROM feed.triggers AS t WHERE t.relation = target AND t.state <> 'missing' AND t.function <> 'version_opportunity') THEN
        PERFORM feed.detach(target);
    END IF;
    SELECT string_agg(quote_literal(a.value), ', ' ORDER BY a.place) INTO arguments
    FROM unnest(coalesce(board, '') || key_columns || CASE WHEN excluded <> '{}' THEN ''::text || excluded END) WITH ORDINALITY AS a(value, place);
    SELECT string_agg(format('OLD.%1$I IS DISTINCT FROM NEW.%1$I', c.name), ' OR '), string_agg(quote_ident(c.name), ', ')
    INTO key_changed, key_set
    FROM unnest(key_columns) AS c(name);

    -- Limited to statements that set the key, so that other UPDATEs do not evaluate the condition.
    EXECUTE format('CREATE TRIGGER feed_guard_key BEFORE UPDATE OF %s ON %s FOR EACH ROW WHEN (%s) '
                   'EXECUTE FUNCTION feed.guard_key()', key_set, target, key_changed);
    IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = target AND attname = 'last_modified_by' AND NOT attisdropped) THEN
        EXECUTE format('CREATE TRIGGER feed_name_author BEFORE UPDATE OF last_modified_by ON %s FOR EACH STATEMENT '
                       'EXECUTE FUNCTION feed.name_author()', target);
    END IF;
    EXECUTE format('CREATE TRIGGER feed_capture_insert AFTER INSERT ON %s REFERENCING NEW TABLE AS new_rows '
                   'FOR EACH STATEMENT EXECUTE FUNCTION feed.capture(%s)', target, arguments);
    EXECUTE format('CREATE TRIGGER feed_capture_update AFTER UPDATE ON %s REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows '
                   'FOR EACH STATEMENT EXECUTE FUNCTION feed.capture(%s)', target, arguments);
    EXECUTE format('CREATE TRIGGER feed_capture_delete AFTER DELETE ON %s REFERENCING OLD TABLE AS old_rows '
                   'FOR EACH STATEMENT EXECUTE FUNCTION feed.capture(%s)', target, arguments);
    EXECUTE format('CREATE TRIGGER feed_capture_truncate AFTER TRUNCATE ON %s '
                   'FOR EACH STATEMENT EXECUTE FUNCTION feed.capture(%s)', target, arguments);
    -- If the table was attached before, the original attachment counts: what was written in between is missing from the
    -- log, and verify should find it. Otherwise it counts from when the lock was acquired: until then other transactions
    -- may have written, even ones with a later ID than this one, which may have started long before.
    INSERT INTO feed.attached (relation, xid, attached_at, attached_by)
    VALUES (target, coalesce(earlier.xid, greatest(pg_current_xact_id(), (pg_snapshot_xmax(pg_current_snapshot())::text::bigint - 1)::text::xid8)),
            coalesce(earlier.attached_at, clock_timestamp()), coalesce(earlier.attached_by, session_user));
END
$_$;

ALTER FUNCTION feed.attach(target regclass, key text, board text, exclude text[]) OWNER TO feed_owner;

--
-- Name: FUNCTION attach(target regclass, key text, board text, exclude text[]); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.attach(target regclass, key text, board text, exclude text[]) IS 'Attaches a table to the feed: feed.attach(''public.tasks'', key => ''id'', board => ''board_id'', exclude => ''{password_hash}''). key defaults to the primary key; separate several columns with commas, or pass an array such as ''{a,"b,c"}''. Without a board column, changes reach only LISTEN and the log. Excluded and virtual columns are not logged, and a change to these alone is not logged either.';

--
-- Name: capture(); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.capture() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'feed', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $$
-- An attached table may have columns named like the variables below. No expression here refers to such a column by its bare
-- name, so a bare name is always the variable.
#variable_conflict use_variable
DECLARE
    relation_name text := CASE TG_TABLE_SCHEMA WHEN 'public' THEN TG_TABLE_NAME
                                               ELSE TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME END;
    board_column text := TG_ARGV[0];
    -- feed.row_key() is called only for keys of several columns, because a function in SQL costs more than everything else
    -- for a row.
    key_column text := CASE WHEN TG_NARGS = 2 THEN TG_ARGV[1] END;
    -- No NOTIFY while the pacer reads the log. The sequence is read with a function, because a query costs eight times as
    -- much. A value further ahead than any pacer sets it (a second) is ignored, because the server's clock was set back.
    -- But a value that no clock reaches means that NOTIFY is switched off.
    sends_notify boolean := (width_bucket(abs(pg_sequence_last_value('feed.notify_suppressed_until') - date_part('epoch', clock_timestamp()) * 1000 - 500),
                                   500, 4e15, 1) <> 1) IS NOT TRUE;
    named boolean;
    written bigint := 0;
BEGIN
    -- Readers may see this row as soon as it is committed, so a crash must not be able to undo the commit.
    IF current_setting('synchronous_commit') = 'off' THEN
        PERFORM set_config('synchronous_commit', 'local', true);
    END IF;

    IF TG_OP = 'UPDATE' THEN
        named := current_setting('feed.named', true) = TG_RELID::text;
        IF named THEN
            PERFORM set_config('feed.named', '', true);
        END IF;
        -- Fast path for one row that stays on its board, as in almost every UPDATE. It needs no join, and it is one
        -- statement, because each PL/pgSQL expression costs a snapshot. Expressions contain no subqueries, because the
        -- whole statement would be walked again for each. Everything else is left to the block below, which could handle
        -- this case too.
        INSERT INTO feed.log (relation, op, key, board, old, new, version, parents,
                              actor, origin, db_user, application, client_addr, pid, notified)
        SELECT relation_name, 'update', r.after ->> key_column, r.after ->> board_column, r.before, r.after,
               (r.after ->> 'version_number')::int, nullif(current_setting('feed.parents', true), '')::integer[],
               coalesce(nullif(current_setting('feed.actor', true), ''),
                        CASE WHEN named THEN r.after ->> 'last_modified_by' END, session_user),
               nullif(current_setting('feed.origin', true), ''),
               session_user, current_setting('application_name'), inet_client_addr(), pg_backend_pid(), sends_notify
        FROM (SELECT o.before, n.after
              FROM (SELECT feed.row_image(o.*) AS before FROM old_rows AS o LIMIT 2) AS o
              CROSS JOIN (SELECT feed.row_image(n.*) AS after FROM new_rows AS n LIMIT 2) AS n
              LEFT JOIN (SELECT true AS one FROM old_rows OFFSET 1 LIMIT 1) AS another ON true
              WHERE another.one IS NULL) AS r
        WHERE r.before ->> key_column = r.after ->> key_column
          AND r.before <> r.after AND (r.before ->> board_column = r.after ->> board_column OR board_column = '');
        GET DIAGNOSTICS written = ROW_COUNT;
    END IF;

    IF written = 0 THEN
        DECLARE
            key_columns text[] := TG_ARGV[1:];
            excluded text[];
            declared_actor text := nullif(current_setting('feed.actor', true), '');
            declared_origin text := nullif(current_setting('feed.origin', true), '');
            declared_parents integer[] := nullif(current_setting('feed.parents', true), '')::integer[];
            application text := current_setting('application_name');
            address inet := inet_client_addr();
        BEGIN
            IF TG_NARGS > 2 AND '' = ANY (key_columns) THEN
                excluded := key_columns[array_position(key_columns, '') + 1:];
                key_columns := key_columns[:array_position(key_columns, '') - 1];
            END IF;
            IF TG_OP = 'UPDATE' THEN
                WITH before AS MATERIALIZED (
                    SELECT r.data, r.data ->> board_column AS board,
                           coalesce(CASE WHEN key_column IS NULL THEN feed.row_key(r.data, key_columns) ELSE r.data ->> key_column END,
                                    feed.missing_column(TG_RELID, r.data, key_columns)) AS key
                    FROM old_rows AS o CROSS JOIN LATERAL (
                        SELECT CASE WHEN excluded IS NULL THEN feed.row_image(o.*)
                                    ELSE feed.exclude_columns(TG_RELID, feed.row_image(o.*), excluded) END AS data OFFSET 0) AS r
                ), after AS MATERIALIZED (
                    SELECT r.data, coalesce(r.data ->> board_column, CASE WHEN board_column <> '' THEN
                               feed.missing_column(TG_RELID, r.data, ARRAY[board_column]) END) AS board,
                           coalesce(CASE WHEN key_column IS NULL THEN feed.row_key(r.data, key_columns) ELSE r.data ->> key_column END,
                                    feed.missing_column(TG_RELID, r.data, key_columns)) AS key
                    FROM new_rows AS n CROSS JOIN LATERAL (
                        SELECT CASE WHEN excluded IS NULL THEN feed.row_image(n.*)
                                    ELSE feed.exclude_columns(TG_RELID, feed.row_image(n.*), excluded) END AS data OFFSET 0) AS r
                )
                INSERT INTO feed.log (relation, op, key, board, old, new, version, parents,
                                      actor, origin, db_user, application, client_addr, pid, notified)
                SELECT relation_name, step.op, key,
                       CASE WHEN step.op IN ('leave', 'delete') THEN before.board ELSE after.board END,
                       before.data, after.data,
                       (coalesce(after.data, before.data) ->> 'version_number')::int, declared_parents,
                       coalesce(declared_actor, CASE WHEN named THEN after.data ->> 'last_modified_by' END, session_user), declared_origin,
                       session_user, application, address, pg_backend_pid(), sends_notify
                FROM before FULL JOIN after USING (key)
                -- A row that changes its board leaves one and enters the other. Each has its own readers, so there are two
                -- log rows, in this order.
                CROSS JOIN LATERAL unnest(
                    CASE WHEN before.data IS NULL THEN '{insert}'::text[]
                         WHEN after.data IS NULL THEN '{delete}'::text[]
                         WHEN before.board IS DISTINCT FROM after.board THEN '{leave,enter}'::text[]
                         ELSE '{update}'::text[] END) WITH ORDINALITY AS step(op, place)
                WHERE before.data IS DISTINCT FROM after.data
                ORDER BY step.place;
            ELSIF TG_OP = 'INSERT' THEN
                INSERT INTO feed.log (relation, op, key, board, new, version, parents,
                                      actor, origin, db_user, application, client_addr, pid, notified)
                SELECT relation_name, 'insert',
                       coalesce(CASE WHEN key_column IS NULL THEN feed.row_key(r.data, key_columns) ELSE r.data ->> key_column END,
                                feed.missing_column(TG_RELID, r.data, key_columns)),
                       coalesce(r.data ->> board_column,
                                CASE WHEN board_column <> '' THEN feed.missing_column(TG_RELID, r.data, ARRAY[board_column]) END), r.data,
                       (r.data ->> 'version_number')::int, declared_parents,
                       coalesce(declared_actor, r.data ->> 'last_modified_by', session_user), declared_origin,
                       session_user, application, address, pg_backend_pid(), sends_notify
                FROM new_rows AS n CROSS JOIN LATERAL (
                    SELECT CASE WHEN excluded IS NULL THEN feed.row_image(n.*)
                                ELSE feed.exclude_columns(TG_RELID, feed.row_image(n.*), excluded) END AS data OFFSET 0) AS r;
            ELSIF TG_OP = 'DELETE' THEN
                -- last_modified_by names the author of the previous change, not of the deletion.
                INSERT INTO feed.log (relation, op, key, board, old, version,
                                      actor, origin, db_user, application, client_addr, pid, notified)
                SELECT relation_name, 'delete',
                       coalesce(CASE WHEN key_column IS NULL THEN feed.row_key(r.data, key_columns) ELSE r.data ->> key_column END,
                                feed.missing_column(TG_RELID, r.data, key_columns)),
                       coalesce(r.data ->> board_column,
                                CASE WHEN board_column <> '' THEN feed.missing_column(TG_RELID, r.data, ARRAY[board_column]) END), r.data,
                       (r.data ->> 'version_number')::int,
                       coalesce(declared_actor, session_user), declared_origin,
                       session_user, application, address, pg_backend_pid(), sends_notify
                FROM old_rows AS o CROSS JOIN LATERAL (
                    SELECT CASE WHEN excluded IS NULL THEN feed.row_image(o.*)
                                ELSE feed.exclude_columns(TG_RELID, feed.row_image(o.*), excluded) END AS data OFFSET 0) AS r;
            ELSE
                INSERT INTO feed.log (relation, op, actor, origin, db_user, application, client_addr, pid, notified)
                VALUES (relation_name, 'truncate', coalesce(declared_actor, session_user), declared_origin,
                        session_user, application, address, pg_backend_pid(), sends_notify);
            END IF;

            GET DIAGNOSTICS written = ROW_COUNT;
        END;
    END IF;

    IF sends_notify AND written > 0 THEN
        PERFORM feed.notify(currval('feed.log_seq'), relation_name, lower(TG_OP));
    END IF;
    RETURN NULL;
END
$$;

ALTER FUNCTION feed.capture() OWNER TO feed_owner;

--
-- Name: FUNCTION capture(); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.capture() IS 'Trigger of an attached table: logs the changes of the statement in feed.log and sends NOTIFY. See feed.attach.';

--
-- Name: changes(jsonb, jsonb); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.changes(before jsonb, after jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (SELECT COALESCE(jsonb_object_agg(f.key, f.value), '{}'::jsonb) AS "coalesce" FROM jsonb_each(changes.after) f(key, value) WHERE ((f.value)::text IS DISTINCT FROM ((changes.before -> f.key))::text));

ALTER FUNCTION feed.changes(before jsonb, after jsonb) OWNER TO feed_owner;

--
-- Name: FUNCTION changes(before jsonb, after jsonb); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.changes(before jsonb, after jsonb) IS 'The columns that differ between two images of a row, with their new values.';

--
-- Name: log_seq; Type: SEQUENCE; Schema: feed; Owner: feed_owner
--

CREATE SEQUENCE feed.log_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE feed.log_seq OWNER TO feed_owner;

--
-- Name: SEQUENCE log_seq; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON SEQUENCE feed.log_seq IS 'Source of feed.log.seq. Rolled-back transactions leave gaps.';

--
-- Name: partition_number; Type: SEQUENCE; Schema: feed; Owner: feed_owner
--

CREATE SEQUENCE feed.partition_number
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE feed.partition_number OWNER TO feed_owner;

--
-- Name: SEQUENCE partition_number; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON SEQUENCE feed.partition_number IS 'Number of the partition of feed.log that is being written (feed.log_<number>).';

SET default_tablespace = '';

--
-- Name: log; Type: TABLE; Schema: feed; Owner: feed_owner
--

CREATE TABLE feed.log (
    seq bigint DEFAULT nextval('feed.log_seq'::regclass) NOT NULL,
    xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    partition_number bigint DEFAULT pg_sequence_last_value('feed.partition_number'::regclass) NOT NULL,
    relation text NOT NULL,
    op text NOT NULL,
    key text,
    board text,
    old jsonb,
    new jsonb,
    version integer,
    parents integer[],
    actor text NOT NULL,
    origin text,
    traceparent text DEFAULT 
CASE
    WHEN (current_setting('feed.traceparent'::text, true) ~~ '__-________________________________-________________-__'::text) THEN
    CASE
        WHEN ((translate(current_setting('feed.traceparent'::text, true), '0123456789abcdef'::text, ''::text) = '---'::text) AND ("left"(current_setting('feed.traceparent'::text, true), 2) <> 'ff'::text) AND (substr(current_setting('feed.traceparent'::text, true), 4, 32) <> repeat('0'::text, 32)) AND (substr(current_setting('feed.traceparent'::text, true), 37, 16) <> repeat('0'::text, 16))) THEN current_setting('feed.traceparent'::text, true)
        ELSE NULL::text
    END
    ELSE NULL::text
END,
    db_user text NOT NULL,
    application text,
    client_addr inet,
    pid integer NOT NULL,
    notified boolean DEFAULT true NOT NULL
)
PARTITION BY RANGE (partition_number);

ALTER TABLE feed.log OWNER TO feed_owner;

--
-- Name: TABLE log; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON TABLE feed.log IS 'The change log: one row for each change of an attached table, written in the same transaction as the change. Append-only.';

--
-- Name: COLUMN log.seq; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.log.seq IS 'Sequence number. It gives the order of changes within a transaction.';

--
-- Name: COLUMN log.xid; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.log.xid IS 'Top-level transaction ID';

--
-- Name: COLUMN log.at; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.log.at IS 'When the row was written (clock_timestamp)';

--
-- Name: COLUMN log.partition_number; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.log.partition_number IS 'Partition key: the value of feed.partition_number when the row was written';

--
-- Name: COLUMN log.relation; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.log.relation IS 'The table. Qualified with its schema unless that is public.';

--
-- Name: COLUMN log.op; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.log.op IS 'insert, update, delete or truncate; leave and enter: one UPDATE that moved the row to another board; reload: a repair after which readers must load the table again, because the versions do not follow on from one another';

--
-- Name: COLUMN log.key; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.log.key IS 'Primary key as text; a JSON array if it has several columns';

--
-- Name: COLUMN log.board; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.log.board IS 'Board whose clients receive the change; null: none';

--
-- Name: COLUMN log.old; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.log.old IS 'The row before the change';

--
-- Name: COLUMN log.new; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.log.new IS 'The row after the change';

--
-- Name: COLUMN log.version; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.log.version IS 'version_number of the row, if the table has that column';

--
-- Name: COLUMN log.parents; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.log.parents IS 'feed.parents: the versions that this one was merged or restored from; null for other changes';

--
-- Name: COLUMN log.actor; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.log.actor IS 'feed.actor; otherwise last_modified_by; otherwise the database user';

--
-- Name: COLUMN log.origin; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.log.origin IS 'feed.origin: the request or client mutation that made the write';

--
-- Name: COLUMN log.traceparent; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.log.traceparent IS 'feed.traceparent: W3C trace context of the write, if the writer set one';

--
-- Name: COLUMN log.db_user; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.log.db_user IS 'session_user';

--
-- Name: COLUMN log.application; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.log.application IS 'application_name';

--
-- Name: COLUMN log.client_addr; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.log.client_addr IS 'Client address; null for a Unix socket';

--
-- Name: COLUMN log.pid; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.log.pid IS 'Process ID of the backend';

--
-- Name: COLUMN log.notified; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.log.notified IS 'Whether the writing transaction sent NOTIFY';

--
-- Name: changes_since(xid8, xid8[], xid8, xid8[]); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.changes_since(since_xmax xid8, since_xip xid8[], until_xmax xid8 DEFAULT NULL::xid8, until_xip xid8[] DEFAULT NULL::xid8[]) RETURNS SETOF feed.log
    LANGUAGE sql STABLE
    AS $$
    SELECT l.*
    FROM feed.log AS l
    WHERE l.xid >= since_xmax AND l.partition_number >= feed.first_partition_since(since_xmax) AND l.partition_number <= feed.current_partition()
      AND l.xid < coalesce(until_xmax, '18446744073709551615') AND l.xid <> ALL (coalesce(until_xip, '{}'))
    UNION ALL
    SELECT l.*
    FROM feed.log AS l
    WHERE l.xid = ANY (since_xip) AND l.xid < since_xmax AND l.partition_number >= feed.first_partition_since(since_xip[1]) AND l.partition_number <= feed.current_partition()
      AND l.xid < coalesce(until_xmax, '18446744073709551615') AND l.xid <> ALL (coalesce(until_xip, '{}'))
$$;

ALTER FUNCTION feed.changes_since(since_xmax xid8, since_xip xid8[], until_xmax xid8, until_xip xid8[]) OWNER TO feed_owner;

--
-- Name: FUNCTION changes_since(since_xmax xid8, since_xip xid8[], until_xmax xid8, until_xip xid8[]); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.changes_since(since_xmax xid8, since_xip xid8[], until_xmax xid8, until_xip xid8[]) IS 'Rows of feed.log that the holder of a cursor (xmax, xip) has not seen, up to another cursor or up to now. Order them by max(seq) OVER (PARTITION BY xid), then by seq.';

--
-- Name: check_key(regclass, text[]); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.check_key(target regclass, key_columns text[]) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    named text := array_to_string(key_columns, ', ');
    wrong text;
    nearest record;
BEGIN
    IF cardinality(key_columns) = 0 THEN
        RAISE EXCEPTION 'no key columns given for table %', target USING ERRCODE = 'invalid_table_definition',
            HINT = 'Omit the argument to use the primary key, or name the columns with key => ''...''.';
    END IF;
    SELECT quote_ident(attname) INTO wrong FROM pg_attribute
    WHERE attrelid = target AND attname = ANY (key_columns) AND NOT attnotnull LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'key (%) of table % does not identify every row: % may be null', named, target, wrong
            USING ERRCODE = 'invalid_table_definition', HINT = format('Use ALTER TABLE %s ALTER COLUMN %s SET NOT NULL.', target, wrong);
    END IF;
    SELECT quote_ident(attname) INTO wrong FROM pg_attribute
    WHERE attrelid = target AND attname = ANY (key_columns) AND attgenerated <> '' LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'key (%) of table % would change with other columns: % is generated', named, target, wrong
            USING ERRCODE = 'invalid_table_definition', HINT = 'Name a unique column that is not generated, with key => ''...''.';
    END IF;
    -- The index that comes closest determines the message.
    SELECT i.indpred IS NOT NULL AS partial, i.indisvalid, i.indimmediate, i.indisunique INTO nearest
    FROM pg_index AS i
    WHERE i.indrelid = target AND i.indexprs IS NULL
      AND ARRAY(SELECT a.attname::text
                FROM unnest(i.indkey) WITH ORDINALITY AS k(attnum, place)
                JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
                WHERE k.place <= i.indnkeyatts
                ORDER BY 1) = ARRAY(SELECT DISTINCT k FROM unnest(key_columns) AS k ORDER BY 1)
    ORDER BY i.indisunique DESC, i.indpred IS NULL DESC, i.indisvalid DESC, i.indimmediate DESC LIMIT 1;
    wrong := CASE WHEN nearest.indisunique IS NOT TRUE THEN ''
                  WHEN nearest.partial THEN ': its index covers only some rows'
                  WHEN NOT nearest.indisvalid THEN ': its index is invalid because its creation failed'
                  WHEN NOT nearest.indimmediate THEN ': its constraint is deferrable, so two rows may have the same key until it is checked' END;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'key (%) of table % is not unique%', named, target, wrong
            USING ERRCODE = 'invalid_table_definition',
                  HINT = 'Add a PRIMARY KEY or UNIQUE constraint on exactly these columns, for all rows, not deferrable.';
    END IF;
END
$$;

ALTER FUNCTION feed.check_key(target regclass, key_columns text[]) OWNER TO feed_owner;

--
-- Name: FUNCTION check_key(target regclass, key_columns text[]); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.check_key(target regclass, key_columns text[]) IS 'Raises an error if a key does not identify the rows of a table. Used by feed.attach.';

--
-- Name: check_table(regclass); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.check_table(target regclass) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    checked record;
    parent regclass;
BEGIN
    SELECT c.relkind, c.relpersistence, c.relispartition, n.nspname AS schema, pg_get_userbyid(c.relowner) AS owner,
           pg_has_role(c.relowner, 'USAGE') AS owned
    INTO checked FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = target;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no table given' USING ERRCODE = 'undefined_table', HINT = 'Pass the name of a table, such as feed.attach(''public.tasks'').';
    ELSIF checked.schema = 'feed' AND target <> to_regclass('feed.flags') THEN
        RAISE EXCEPTION '% belongs to the feed itself and cannot be attached', target USING ERRCODE = 'invalid_table_definition';
    ELSIF checked.schema IN ('pg_catalog', 'information_schema', 'pg_toast') THEN
        RAISE EXCEPTION '% is a system catalog and cannot be attached', target USING ERRCODE = 'wrong_object_type';
    ELSIF checked.relkind NOT IN ('r', 'p') THEN
        RAISE EXCEPTION '% is %, not a table', target,
            CASE checked.relkind WHEN 'v' THEN 'a view' WHEN 'm' THEN 'a materialized view' WHEN 'f' THEN 'a foreign table'
                            WHEN 'S' THEN 'a sequence' WHEN 'i' THEN 'an index' WHEN 'I' THEN 'an index' ELSE 'a type' END
            USING ERRCODE = 'wrong_object_type',
                  HINT = CASE WHEN checked.relkind IN ('v', 'm') THEN 'Attach the tables that it reads from: writes through a view are logged there.'
                              WHEN checked.relkind = 'f' THEN 'Its rows are written in another database: attach the table there.' ELSE 'Name a table.' END;
    ELSIF checked.relpersistence = 't' THEN
        RAISE EXCEPTION 'table % is temporary: no other session can read its rows', target USING ERRCODE = 'wrong_object_type';
    ELSIF checked.relpersistence = 'u' THEN
        RAISE EXCEPTION 'table % is unlogged: a crash would empty it without a change in the log', target
            USING ERRCODE = 'wrong_object_type', HINT = format('Use ALTER TABLE %s SET LOGGED.', target);
    ELSIF NOT checked.owned THEN
        RAISE EXCEPTION 'table % is owned by %, and only its owner can create or drop triggers on it', target, quote_ident(checked.owner)
            USING ERRCODE = 'insufficient_privilege',
                  HINT = format('GRANT %I TO %I, or run this as a superuser.', checked.owner, current_user);
    ELSIF checked.relispartition THEN
        RAISE EXCEPTION 'table % is a partition: writes to % do not fire its triggers', target, pg_partition_root(target)
            USING ERRCODE = 'invalid_table_definition', HINT = format('Attach the partitioned table: feed.attach(%L).', pg_partition_root(target));
    END IF;
    SELECT i.inhparent INTO parent FROM pg_inherits AS i
    WHERE checked.relkind = 'r' AND target IN (i.inhparent, i.inhrelid) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'table % is %: its rows are written through two tables, and keys are not unique across both', target,
            CASE parent WHEN target THEN 'an inheritance parent' ELSE 'a child of ' || parent END
            USING ERRCODE = 'invalid_table_definition', HINT = 'Partitioned tables can be attached: use PARTITION BY instead of INHERITS.';
    END IF;
END
$$;

ALTER FUNCTION feed.check_table(target regclass) OWNER TO feed_owner;

--
-- Name: FUNCTION check_table(target regclass); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.check_table(target regclass) IS 'Raises an error if a table cannot be attached: it is not an ordinary table, or the caller does not own it. Used by feed.attach.';

--
-- Name: checkpoint(text, text); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.checkpoint(board text, cursor text DEFAULT NULL::text, OUT count bigint, OUT hash text) RETURNS record
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'feed', 'pg_temp'
    SET row_security TO 'off'
    AS $$
    SELECT c.count, c.hash FROM feed.checkpoint_seen(checkpoint.board, checkpoint.cursor) AS c
$$;

ALTER FUNCTION feed.checkpoint(board text, cursor text, OUT count bigint, OUT hash text) OWNER TO feed_owner;

--
-- Name: FUNCTION checkpoint(board text, cursor text, OUT count bigint, OUT hash text); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.checkpoint(board text, cursor text, OUT count bigint, OUT hash text) IS 'Number of opportunities on a board and the hash of their IDs and versions (docs/protocol.md), now or at the position of a cursor. Null if the table was truncated since then. The log must not have been pruned since then (see feed.cursor_fault).';

--
-- Name: checkpoint_seen(text, text); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.checkpoint_seen(board text, cursor text, OUT count bigint, OUT hash text) RETURNS record
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'feed', 'pg_temp'
    AS $$
    WITH parts AS (
        SELECT 1 AS sign, feed.row_hash(o.id::text, o.version_number) AS part
        FROM public.opportunities AS o WHERE o.board_id = checkpoint_seen.board
        UNION ALL
        SELECT s.sign, s.sign * feed.row_hash(l.key, s.version)
        FROM feed.parse_cursor(checkpoint_seen.cursor) AS c
        CROSS JOIN LATERAL feed.changes_since(c.xmax, c.xip) AS l
        -- Undo the change: remove the new row and add the old row back.
        CROSS JOIN LATERAL (VALUES
            (-1, CASE WHEN l.op IN ('insert', 'update', 'enter') THEN (l.new ->> 'version_number')::int END),
            (1, CASE WHEN l.op IN ('update', 'delete', 'leave') THEN (l.old ->> 'version_number')::int END),
            (NULL, CASE WHEN l.op = 'truncate' THEN 0 END)
        ) AS s(sign, version)
        WHERE l.relation = 'opportunities' AND (l.board = checkpoint_seen.board OR l.op = 'truncate') AND s.version IS NOT NULL
    )
    SELECT CASE WHEN s.known THEN s.rows END, CASE WHEN s.known THEN lpad(to_hex(s.total & 4294967295), 8, '0') END
    FROM (SELECT count(*) = count(sign) AS known, coalesce(sum(sign), 0) AS rows, coalesce(sum(part), 0)::bigint AS total FROM parts) AS s
$$;

ALTER FUNCTION feed.checkpoint_seen(board text, cursor text, OUT count bigint, OUT hash text) OWNER TO feed_owner;

--
-- Name: FUNCTION checkpoint_seen(board text, cursor text, OUT count bigint, OUT hash text); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.checkpoint_seen(board text, cursor text, OUT count bigint, OUT hash text) IS 'Like feed.checkpoint, but counts only the rows that row security lets the caller see. Used by feed.report_gap.';

--
-- Name: current_partition(); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.current_partition() RETURNS bigint
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    AS $$
BEGIN
    RETURN pg_catalog.pg_sequence_last_value('feed.partition_number');
END
$$;

ALTER FUNCTION feed.current_partition() OWNER TO feed_owner;

--
-- Name: FUNCTION current_partition(); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.current_partition() IS 'Number of the partition that is being written. No visible row is in a later one.';

--
-- Name: cursor_fault(text); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.cursor_fault(cursor text) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'feed', 'pg_temp'
    AS $$
    SELECT CASE
               WHEN c.feed_id IS NULL THEN 'malformed'
               WHEN c.feed_id <> i.feed_id THEN 'foreign'
               WHEN c.xmax > pg_snapshot_xmax(pg_current_snapshot()) OR c.anchor > coalesce((SELECT max(l.seq) FROM feed.log AS l), 0)
                   THEN 'future'
               WHEN coalesce(c.xip[1], c.xmax) <= i.floor_xid THEN 'pruned'
               WHEN c.anchor = 0 THEN NULL
               WHEN anchor.seq IS NULL THEN CASE WHEN c.anchor <= i.floor_seq THEN 'pruned' ELSE 'diverged' END
               WHEN c.tag <> left(encode(sha256(convert_to(
                    concat_ws(':', anchor.seq, anchor.xid, (extract(epoch FROM anchor.at) * 1000000)::bigint), 'UTF8')), 'hex'), 8)
                   THEN 'diverged'
           END
    FROM feed.identity AS i
    CROSS JOIN feed.parse_cursor(cursor_fault.cursor) AS c
    LEFT JOIN feed.log AS anchor ON anchor.seq = c.anchor
$$;

ALTER FUNCTION feed.cursor_fault(cursor text) OWNER TO feed_owner;

--
-- Name: FUNCTION cursor_fault(cursor text); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.cursor_fault(cursor text) IS 'Why a client cannot resume from a cursor, as the reason of a reset: malformed, foreign, future, pruned or diverged. Null: it can.';

--
-- Name: detach(regclass); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.detach(target regclass) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    trigger_name name;
BEGIN
    IF NOT EXISTS (
        SELECT FROM feed.triggers AS t WHERE t.relation = target AND t.state <> 'missing' AND t.function <> 'version_opportunity') THEN
        RAISE EXCEPTION 'table % is not attached', target USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'SELECT DISTINCT relation FROM feed.triggers lists the attached tables.';
    END IF;
    FOR trigger_name IN
        SELECT t.tgname FROM pg_trigger AS t
        WHERE t.tgrelid = target AND NOT t.tgisinternal
          AND t.tgfoid IN ('feed.capture()'::regprocedure, 'feed.guard_key()'::regprocedure, 'feed.name_author()'::regprocedure)
    LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', trigger_name, target);
    END LOOP;
    DELETE FROM feed.attached AS a WHERE a.relation = target;
END
$$;

ALTER FUNCTION feed.detach(target regclass) OWNER TO feed_owner;

--
-- Name: FUNCTION detach(target regclass); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.detach(target regclass) IS 'Detaches a table from the feed. Its changes stay in feed.log.';

--
-- Name: display_value(jsonb); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.display_value(value jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN ((value IS NULL) OR (value = 'null'::jsonb)) THEN 'null'::text WHEN (length((value #>> '{}'::text[])) > 60) THEN ("left"((value #>> '{}'::text[]), 57) || '...'::text) ELSE (value #>> '{}'::text[]) END;

ALTER FUNCTION feed.display_value(value jsonb) OWNER TO feed_owner;

--
-- Name: FUNCTION display_value(value jsonb); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.display_value(value jsonb) IS 'A value as feed.trigger_log shows it, at most 60 characters long.';

--
-- Name: exclude_columns(regclass, jsonb, text[]); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.exclude_columns(target regclass, data jsonb, columns text[]) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'feed', 'pg_temp'
    AS $$
BEGIN
    PERFORM feed.missing_column(target, data, columns);
    RETURN data - columns;
END
$$;

ALTER FUNCTION feed.exclude_columns(target regclass, data jsonb, columns text[]) OWNER TO feed_owner;

--
-- Name: FUNCTION exclude_columns(target regclass, data jsonb, columns text[]); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.exclude_columns(target regclass, data jsonb, columns text[]) IS 'A row without the excluded columns. Used by feed.capture.';

--
-- Name: explain(bigint); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.explain(seq bigint) RETURNS TABLE(step text, at timestamp with time zone, after interval, what text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'feed', 'pg_temp'
    AS $$
DECLARE
    change feed.trigger_log;
    identity feed.identity;
    last bigint := (SELECT max(l.seq) FROM feed.log AS l);
    other_cluster boolean := (SELECT l.partition_number < i.first_partition FROM feed.log AS l CROSS JOIN feed.identity AS i WHERE l.seq = explain.seq);
    wrote record;
    committed timestamptz;
    board text;
    host record;
    journal record;
BEGIN
    SELECT * INTO identity FROM feed.identity;
    SELECT t.* INTO change FROM feed.trigger_log AS t WHERE t.seq = explain.seq;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'not found', NULL::timestamptz, NULL::interval, CASE
            WHEN explain.seq IS NULL OR explain.seq < 1 THEN 'no change has this sequence number'
            WHEN explain.seq <= identity.floor_seq THEN 'pruned, together with all changes up to ' || identity.floor_seq
            WHEN explain.seq > coalesce(last, 0) THEN 'not written yet, or not committed: the newest is ' || coalesce(last::text, 'none')
            -- A transaction that writes to the log holds this lock until it ends, even after PREPARE TRANSACTION.
            WHEN EXISTS (SELECT FROM pg_locks AS k JOIN pg_database AS d ON d.oid = k.database
                         WHERE k.relation = 'feed.log'::regclass AND d.datname = current_database() AND k.mode = 'RowExclusiveLock')
                THEN 'its transaction was rolled back or is not committed yet: some transactions are in progress'
            ELSE 'its transaction was rolled back: sequence numbers are not reused' END;
        RETURN;
    END IF;
    IF NOT other_cluster AND current_setting('track_commit_timestamp')::boolean
       AND pg_snapshot_xmax(pg_current_snapshot())::text::numeric - change.xid::text::numeric < 2 ^ 31 THEN
        committed := pg_xact_commit_timestamp(change.xid::xid);
    END IF;
    board := coalesce('board ' || change.board, CASE WHEN change.op IN ('truncate', 'reload') THEN 'any board' END);

    SELECT min(t.at) AS at, count(*) AS changes INTO wrote
    FROM (SELECT l.at FROM feed.log AS l WHERE l.xid BETWEEN change.xid AND change.xid LIMIT 1001) AS t;
    IF wrote.changes BETWEEN 2 AND 1000 THEN
        RETURN QUERY SELECT 'transaction', wrote.at, wrote.at - change.at, 'first change of the transaction; its start time is not recorded';
    END IF;
    RETURN QUERY SELECT 'write', change.at, interval '0',
        concat_ws(' ', change.op, 'of', change.relation, change.key, 'by', change.actor) || coalesce(': ' || change.changes, '');
    RETURN QUERY SELECT 'from', change.at, interval '0',
        concat_ws(', ', change.source, 'application ' || nullif(change.application, ''), 'database user ' || change.db_user,
                  'address ' || coalesce(pg_catalog.host(change.client_addr), 'local'), 'pid ' || change.pid, 'origin ' || change.origin,
                  'trace ' || split_part(change.traceparent, '-', 2));
    RETURN QUERY SELECT 'commit', committed, committed - change.at, 'transaction ' || change.xid || ', change ' || change.step
        || CASE WHEN other_cluster THEN '; written in another cluster' WHEN committed IS NULL THEN '; commit time not known' ELSE '' END;
    RETURN QUERY SELECT 'notify', committed, committed - change.at,
        CASE WHEN change.notified THEN 'sent by the transaction, at commit'
             ELSE 'not sent by the transaction: the pacer was reading the log every few milliseconds and sent it, or NOTIFY was switched off' END;

    FOR host IN
        SELECT coalesce(i.instance, s.instance) AS name, i.cursor, i.reported_at, i.started, i.connections
        FROM feed.instances AS i
        FULL JOIN (SELECT DISTINCT w.instance FROM feed.delivery_journal AS w WHERE w.delivered_at >= change.at) AS s ON s.instance = i.instance
        WHERE NOT other_cluster ORDER BY i.started, 1
    LOOP
        SELECT w.* INTO journal FROM feed.delivery_journal AS w
        WHERE w.instance = host.name AND w.delivered_at >= change.at
          AND feed.has_seen(w.cursor, change.xid) AND NOT feed.has_seen(w.since, change.xid)
        ORDER BY w.delivered_at LIMIT 1;
        IF FOUND THEN
            RETURN QUERY SELECT 'read', journal.read_at, journal.read_at - change.at, host.name || ': '
                || CASE WHEN journal.reads = 1 THEN 'changes read: ' || journal.events
                        ELSE format('changes read: %s, in %s read passes, the first at this time', journal.events, journal.reads) END;
            RETURN QUERY SELECT 'delivered', journal.delivered_at, journal.delivered_at - change.at, host.name || ': ' || CASE
                WHEN board IS NULL THEN 'to nobody: the change belongs to no board'
                WHEN change.board IS NULL THEN format('to all of its %s clients', journal.clients)
                WHEN journal.boards IS NULL THEN format('to those of its %s clients that see %s', journal.clients, board)
                ELSE format('to %s of its %s clients, those that see %s', coalesce(journal.boards ->> change.board, '0'), journal.clients, board) END
                || CASE WHEN journal.reads > 1 THEN ', by this time' ELSE '' END
                || CASE WHEN journal.late > 0 THEN format('; slow clients, which get it from the log later: %s', journal.late) ELSE '' END;
        ELSIF host.cursor IS NOT NULL THEN
            RETURN QUERY SELECT 'delivered', host.reported_at, host.reported_at - change.at, host.name || ': ' || CASE
                WHEN NOT feed.has_seen(host.cursor, change.xid) THEN 'not yet at its last report'
                WHEN host.started > change.at THEN 'started later: its clients loaded it in a snapshot or caught up'
                WHEN board IS NULL THEN 'to nobody: the change belongs to no board'
                ELSE format('by this time, to those of its %s clients that see %s; exact times are kept for an hour', host.connections, board) END;
        END IF;
        RETURN QUERY SELECT 'confirmed', min(a.oldest), min(a.oldest) - change.at,
                format('%s: by %s of its clients, with a cursor that covers it: %s', host.name, sum(a.clients),
                       string_agg(format('%s (%s)', a.cursor, a.clients), ', ' ORDER BY a.clients DESC))
            FROM (SELECT * FROM feed.client_positions AS n WHERE n.instance = host.name AND feed.has_seen(n.cursor, change.xid)
                  ORDER BY n.clients DESC LIMIT 5) AS a
            HAVING count(*) > 0;
        RETURN QUERY SELECT 'not confirmed', max(a.newest), max(a.newest) - change.at,
                format('%s: by %s of its clients, whose last confirmed cursor does not cover it', host.name, sum(a.clients))
            FROM feed.client_positions AS a WHERE a.instance = host.name AND NOT feed.has_seen(a.cursor, change.xid)
            HAVING count(*) > 0;
    END LOOP;
    RETURN QUERY SELECT 'since then', max(l.at), max(l.at) - change.at, 'later changes to the row: ' || count(*)
        FROM feed.log AS l WHERE l.relation = change.relation AND l.key = change.key AND l.seq > change.seq;
END
$$;

ALTER FUNCTION feed.explain(seq bigint) OWNER TO feed_owner;

--
-- Name: FUNCTION explain(seq bigint); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.explain(seq bigint) IS 'The life of one change, by its seq, with the time of each step and the interval after the write: transaction, write, commit (needs track_commit_timestamp), NOTIFY, which instances delivered it to how many clients (known for an hour), which clients confirmed it, and later changes to the row.';

--
-- Name: explain_cursor(text); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.explain_cursor(cursor text) RETURNS TABLE(step text, at timestamp with time zone, what text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'feed', 'pg_temp'
    AS $$
DECLARE
    maximum CONSTANT integer := 10000;
    fault text := feed.cursor_fault(explain_cursor.cursor);
    identity feed.identity;
    parsed record;
    newest feed.trigger_log;
    last bigint := (SELECT max(l.seq) FROM feed.log AS l);
    missing bigint;
    oldest timestamptz;
BEGIN
    SELECT * INTO identity FROM feed.identity;
    SELECT * INTO parsed FROM feed.parse_cursor(explain_cursor.cursor);
    IF fault = 'malformed' THEN
        RETURN QUERY SELECT 'resumes', NULL::timestamptz,
            'no, malformed: not a valid cursor. It was truncated or modified';
        RETURN;
    END IF;

    RETURN QUERY SELECT 'cursor', NULL::timestamptz, format('feed %s: all transactions below %s%s', parsed.feed_id, parsed.xmax,
        coalesce(' except ' || nullif(array_to_string(parsed.xip, ', '), '') || ', which were in progress', ''));
    IF fault IS NULL OR fault = 'pruned' THEN
        SELECT t.* INTO newest FROM feed.trigger_log AS t WHERE t.seq = parsed.anchor;
        RETURN QUERY SELECT 'has', newest.at, CASE
            WHEN parsed.anchor = 0 THEN 'nothing: the log was empty'
            WHEN newest.seq IS NULL THEN format('change %s as the newest, which has been pruned', parsed.anchor)
            ELSE format('change %s as the newest: %s', parsed.anchor,
                        concat_ws(' ', newest.op, 'of', newest.relation, newest.key, 'by', newest.actor)) END;
        SELECT count(*), min(u.at) INTO missing, oldest
        FROM (SELECT n.at FROM feed.changes_since(parsed.xmax, parsed.xip) AS n LIMIT maximum + 1) AS u;
        RETURN QUERY SELECT 'lacks', oldest, CASE
            WHEN missing > maximum THEN format('more than %s changes, the newest in the log is %s', maximum, last)
            WHEN missing > 0 THEN format('changes: %s, the oldest from this time', missing)
            WHEN fault IS NULL THEN 'nothing: it is up to date'
            ELSE 'the changes that were pruned' END;
        RETURN QUERY
            SELECT 'lacks', min(u.at), format('%s: %s (%s)', coalesce('board ' || u.board, 'no board'), count(*),
                                                CASE WHEN count(*) = 1 THEN min(u.seq)::text ELSE min(u.seq) || ' ... ' || max(u.seq) END)
            FROM (SELECT n.seq, n.at, n.board FROM feed.changes_since(parsed.xmax, parsed.xip) AS n LIMIT maximum + 1) AS u
            GROUP BY u.board ORDER BY count(*) DESC, u.board LIMIT 20;
    END IF;

    RETURN QUERY SELECT 'held', a.oldest, format('by %s clients of %s, according to their last confirmation', a.clients, a.instance)
        FROM feed.client_positions AS a WHERE a.cursor = explain_cursor.cursor ORDER BY a.oldest;
    RETURN QUERY SELECT 'resumes', CASE WHEN fault = 'foreign' THEN identity.renewed_at END, CASE fault
        WHEN 'foreign' THEN format('no, foreign: since this time the feed has ID %s (%s)', identity.feed_id, identity.reason)
        WHEN 'future' THEN format('no, future: the cursor covers change %s and transactions below %s, but this log ends at change %s and transactions below %s. The log went back: a copy, a crash or a restore',
                                  parsed.anchor, parsed.xmax, coalesce(last, 0), pg_snapshot_xmax(pg_current_snapshot()))
        WHEN 'pruned' THEN format('no, pruned: the log was pruned up to change %s and transaction %s', identity.floor_seq, identity.floor_xid)
        WHEN 'diverged' THEN format('no, diverged: change %s, the newest that it covers, %s', parsed.anchor,
                                    CASE WHEN EXISTS (SELECT FROM feed.log AS l WHERE l.seq = parsed.anchor)
                                         THEN 'is a different one in this log' ELSE 'is not in this log' END)
        ELSE 'yes: a client that reconnects with it gets the missing changes of the boards that it may see' END
        || CASE WHEN fault IS NOT NULL THEN '. A client that reconnects with it gets a reset and loads its boards again' ELSE '' END;
END
$$;

ALTER FUNCTION feed.explain_cursor(cursor text) OWNER TO feed_owner;

--
-- Name: FUNCTION explain_cursor(cursor text); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.explain_cursor(cursor text) IS 'What the holder of a cursor has, what is missing and on which boards, and whether the client can resume from it; if not, why not.';

--
-- Name: fed_columns(regclass); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.fed_columns(target regclass, OUT relation text, OUT board text, OUT row_key text, OUT matches text, OUT key_columns text, OUT key_texts text, OUT image text) RETURNS record
    LANGUAGE plpgsql STABLE STRICT
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    arguments record;
BEGIN
    SELECT a.* INTO arguments FROM pg_trigger AS t CROSS JOIN LATERAL feed.trigger_arguments(t.tgargs) AS a
    WHERE t.tgrelid = target AND t.tgfoid = 'feed.capture()'::regprocedure LIMIT 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'table % is not attached', target
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = format('Attach it with SELECT feed.attach(%L).', target);
    END IF;
    relation := feed.relation_name(target);
    board := arguments.board;
    image := CASE WHEN arguments.excluded = '{}' THEN 'to_jsonb(t.*)' ELSE format('(to_jsonb(t.*) - %L::text[])', arguments.excluded) END;
    row_key := format('feed.row_key(to_jsonb(t.*), %L)', arguments.key);
    -- Cast the key from the log to the column types, so that the index of the table is used.
    SELECT string_agg(format('t.%I = (%s)::%s', a.attname,
                             CASE WHEN cardinality(arguments.key) = 1 THEN 'k.key' ELSE format('k.key::jsonb ->> %s', c.place - 1) END,
                             format_type(a.atttypid, a.atttypmod)), ' AND ' ORDER BY c.place),
           string_agg(format('t.%I', a.attname), ', ' ORDER BY c.place),
           string_agg(format('t.%I::text', a.attname), ', ' ORDER BY c.place)
    INTO matches, key_columns, key_texts
    FROM unnest(arguments.key) WITH ORDINALITY AS c(name, place)
    JOIN pg_attribute AS a ON a.attrelid = target AND a.attname = c.name AND NOT a.attisdropped;
END
$$;

ALTER FUNCTION feed.fed_columns(target regclass, OUT relation text, OUT board text, OUT row_key text, OUT matches text, OUT key_columns text, OUT key_texts text, OUT image text) OWNER TO feed_owner;

--
-- Name: FUNCTION fed_columns(target regclass, OUT relation text, OUT board text, OUT row_key text, OUT matches text, OUT key_columns text, OUT key_texts text, OUT image text); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.fed_columns(target regclass, OUT relation text, OUT board text, OUT row_key text, OUT matches text, OUT key_columns text, OUT key_texts text, OUT image text) IS 'Building blocks for a statement about one attached table (t): its name in the log, its board column, the expression of its key, the condition that finds the row for a key (k.key), its key columns, the same cast to text, and the expression of a row image as in the log (without excluded columns).';

--
-- Name: first_partition_since(xid8); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.first_partition_since(first xid8) RETURNS bigint
    LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
    AS $$
DECLARE
    partition_number bigint := pg_catalog.pg_sequence_last_value('feed.partition_number');
BEGIN
    IF first::pg_catalog.text::pg_catalog.int8
       OPERATOR(pg_catalog.>=) pg_catalog.pg_sequence_last_value('feed.partition_xid') THEN
        RETURN partition_number;
    END IF;
    RETURN (SELECT i.first_partition FROM feed.identity AS i);
END
$$;

ALTER FUNCTION feed.first_partition_since(first xid8) OWNER TO feed_owner;

--
-- Name: FUNCTION first_partition_since(first xid8); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.first_partition_since(first xid8) IS 'Earliest partition that transactions with this ID or a later one can have written to.';

--
-- Name: guard_key(); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.guard_key() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION 'the key of % identifies its rows to clients and cannot be changed', TG_RELID::pg_catalog.regclass
        USING ERRCODE = 'integrity_constraint_violation',
              HINT = 'Delete the row and insert it again with the new key.';
END
$$;

ALTER FUNCTION feed.guard_key() OWNER TO feed_owner;

--
-- Name: FUNCTION guard_key(); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.guard_key() IS 'Trigger of an attached table: rejects an UPDATE that changes the key.';

--
-- Name: has_seen(text, xid8); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.has_seen(cursor text, xid xid8) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    SELECT has_seen.xid < c.xmax AND has_seen.xid <> ALL (c.xip) FROM feed.parse_cursor(has_seen.cursor) AS c
$$;

ALTER FUNCTION feed.has_seen(cursor text, xid xid8) OWNER TO feed_owner;

--
-- Name: FUNCTION has_seen(cursor text, xid xid8); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.has_seen(cursor text, xid xid8) IS 'Whether a cursor covers a transaction (feed.trigger_log.xid). Null if the cursor is malformed.';

--
-- Name: relation_name(oid); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.relation_name(relation oid) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
    SELECT CASE n.nspname WHEN 'public' THEN c.relname::text ELSE n.nspname || '.' || c.relname END
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.oid = relation
$$;

ALTER FUNCTION feed.relation_name(relation oid) OWNER TO feed_owner;

--
-- Name: FUNCTION relation_name(relation oid); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.relation_name(relation oid) IS 'Name of a table as written in feed.log: qualified with its schema unless that is public, without quotes.';

--
-- Name: trigger_log; Type: VIEW; Schema: feed; Owner: feed_owner
--

CREATE VIEW feed.trigger_log AS
 SELECT seq,
    at,
    actor,
        CASE
            WHEN ((op = 'delete'::text) AND (EXISTS ( SELECT
               FROM (pg_constraint k
                 JOIN pg_attribute a ON (((a.attrelid = k.conrelid) AND (a.attnum = k.conkey[1]))))
              WHERE ((k.contype = 'f'::"char") AND (k.confdeltype = 'c'::"char") AND (cardinality(k.conkey) = 1) AND (feed.relation_name(k.conrelid) = l.relation) AND (EXISTS ( SELECT
                       FROM feed.log parent
                      WHERE ((parent.relation = feed.relation_name(k.confrelid)) AND (parent.key = (l.old ->> (a.attname)::text)) AND ((parent.xid >= l.xid) AND (parent.xid <= l.xid)) AND (parent.op = 'delete'::text))
                     OFFSET 0)))))) THEN 'cascade'::text
            WHEN (application ~~ 'boardcast-api%'::text) THEN 'api'::text
            WHEN (origin ~ '^(api|psql|migration|job|import|app)(:|$)'::text) THEN split_part(origin, ':'::text, 1)
            WHEN (application = 'psql'::text) THEN 'psql'::text
            WHEN (application ~* '(migrat|alembic|flyway|liquibase|drizzle-kit|prisma)'::text) THEN 'migration'::text
            WHEN (application ~* '(cron|job|worker|batch|queue|schedul)'::text) THEN 'job'::text
            WHEN (application <> ''::text) THEN 'app'::text
            ELSE 'unknown'::text
        END AS source,
    op,
    relation,
    key,
    board,
    COALESCE((new ->> 'title'::text), (old ->> 'title'::text), (new ->> 'name'::text), (old ->> 'name'::text)) AS title,
    ( SELECT string_agg(((((f.key || ': '::text) || feed.display_value((l.old -> f.key))) || ' -> '::text) || feed.display_value(f.value)), '; '::text ORDER BY f.key) AS string_agg
           FROM jsonb_each(l.new) f(key, value)
          WHERE ((l.old IS NOT NULL) AND (f.value IS DISTINCT FROM (l.old -> f.key)) AND (NOT ((l.relation = 'opportunities'::text) AND (f.key = ANY (ARRAY['version_number'::text, 'last_sync_at'::text])))))) AS changes,
    version,
    xid,
    ( SELECT
                CASE
                    WHEN (count(*) > 1000) THEN 'of more than 1000'::text
                    ELSE ((count(*) FILTER (WHERE (t.seq <= l.seq)) || ' of '::text) || count(*))
                END AS "case"
           FROM ( SELECT o.seq
                   FROM feed.log o
                  WHERE ((o.xid >= l.xid) AND (o.xid <= l.xid))
                 LIMIT 1001) t) AS step,
    origin,
    traceparent,
    application,
    client_addr,
    db_user,
    pid,
    notified,
    old,
    new
   FROM feed.log l;

ALTER VIEW feed.trigger_log OWNER TO feed_owner;

--
-- Name: VIEW trigger_log; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON VIEW feed.trigger_log IS 'The change log in readable form: who changed which columns, from where, and in which transaction. For the newest changes, use ORDER BY seq DESC LIMIT 20. See also feed.tail, feed.history and feed.explain.';

--
-- Name: COLUMN trigger_log.seq; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.trigger_log.seq IS 'Sequence number of the change. It is not the commit order; see feed.changes_since.';

--
-- Name: COLUMN trigger_log.at; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.trigger_log.at IS 'When the change was written; its transaction committed later';

--
-- Name: COLUMN trigger_log.actor; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.trigger_log.actor IS 'Who made the change: feed.actor if the writer set it; otherwise last_modified_by if the statement set it; otherwise the database user';

--
-- Name: COLUMN trigger_log.source; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.trigger_log.source IS 'What made the change: cascade (deleted together with the row that it references with ON DELETE CASCADE); api (application_name starts with boardcast-api); the first part of feed.origin (api, psql, migration, job, import or app, before a colon); otherwise, from application_name: psql, migration, job, app (any other) or unknown (none)';

--
-- Name: COLUMN trigger_log.op; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.trigger_log.op IS 'insert, update, delete or truncate; leave and enter: one UPDATE that moved the row to another board; reload: a repair after which readers must load the table again';

--
-- Name: COLUMN trigger_log.relation; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.trigger_log.relation IS 'The table. Qualified with its schema unless that is public.';

--
-- Name: COLUMN trigger_log.key; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.trigger_log.key IS 'Primary key as text; a JSON array if it has several columns';

--
-- Name: COLUMN trigger_log.board; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.trigger_log.board IS 'Board whose clients receive the change; null: none';

--
-- Name: COLUMN trigger_log.title; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.trigger_log.title IS 'The title or name of the row, if it has such a column';

--
-- Name: COLUMN trigger_log.changes; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.trigger_log.changes IS 'Columns that an update changed, as column: old -> new, each value shortened to 60 characters. version_number and last_sync_at of opportunities are left out because they change with every update. The complete rows are in old and new.';

--
-- Name: COLUMN trigger_log.version; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.trigger_log.version IS 'version_number of the row, if the table has that column';

--
-- Name: COLUMN trigger_log.xid; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.trigger_log.xid IS 'Top-level transaction ID';

--
-- Name: COLUMN trigger_log.step; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.trigger_log.step IS 'Position among the changes of the transaction, such as 2 of 3. Changes are not numbered if there are more than 1000.';

--
-- Name: COLUMN trigger_log.origin; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.trigger_log.origin IS 'feed.origin: the request or client mutation that made the write';

--
-- Name: COLUMN trigger_log.traceparent; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.trigger_log.traceparent IS 'feed.traceparent: W3C trace context of the write. Its second part is the trace ID.';

--
-- Name: COLUMN trigger_log.application; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.trigger_log.application IS 'application_name';

--
-- Name: COLUMN trigger_log.client_addr; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.trigger_log.client_addr IS 'Client address; null for a Unix socket';

--
-- Name: COLUMN trigger_log.db_user; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.trigger_log.db_user IS 'session_user';

--
-- Name: COLUMN trigger_log.pid; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.trigger_log.pid IS 'Process ID of the backend';

--
-- Name: COLUMN trigger_log.notified; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.trigger_log.notified IS 'Whether the writing transaction sent NOTIFY. If not, the pacer sent it, or NOTIFY was switched off.';

--
-- Name: COLUMN trigger_log.old; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.trigger_log.old IS 'The row before the change';

--
-- Name: COLUMN trigger_log.new; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.trigger_log.new IS 'The row after the change';

--
-- Name: history(text, text); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.history(opportunity text, relation text DEFAULT 'opportunities'::text) RETURNS SETOF feed.trigger_log
    LANGUAGE sql STABLE
    AS $$
    SELECT t.* FROM feed.trigger_log AS t WHERE t.relation = history.relation AND t.key = history.opportunity ORDER BY t.seq
$$;

ALTER FUNCTION feed.history(opportunity text, relation text) OWNER TO feed_owner;

--
-- Name: FUNCTION history(opportunity text, relation text); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.history(opportunity text, relation text) IS 'All changes of one row, oldest first, even if the row was deleted: feed.history(''o1''), feed.history(''7'', relation => ''tasks'').';

--
-- Name: identify(); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.identify() RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'feed', 'pg_temp'
    AS $$
DECLARE
    here_system text := (SELECT system_identifier::text FROM pg_control_system());
    here_timeline text := left(pg_walfile_name(pg_current_wal_lsn()), 8);
    known feed.identity;
BEGIN
    SELECT * INTO known FROM feed.identity;
    IF (known.system_identifier, known.timeline) IS DISTINCT FROM (here_system, here_timeline) THEN
        -- If two instances get here at once, the second waits for the row lock and then finds nothing to renew.
        UPDATE feed.identity
        SET feed_id = feed.new_id(), system_identifier = here_system, timeline = here_timeline,
            renewed_at = clock_timestamp(),
            reason = CASE WHEN system_identifier = '' THEN 'install'
                          WHEN system_identifier IS DISTINCT FROM here_system THEN 'another cluster'
                          ELSE 'promotion' END
        WHERE (system_identifier, timeline) IS DISTINCT FROM (here_system, here_timeline);
        IF FOUND AND known.system_identifier NOT IN ('', here_system) THEN
            -- Transaction IDs start again and may be lower than those in the log, so everything written before is history
            -- from now on.
            PERFORM feed.rotate_partition();
            UPDATE feed.identity
            SET first_partition = feed.current_partition(), first_xid = pg_sequence_last_value('feed.partition_xid')::text::xid8, floor_xid = '0';
        END IF;
        SELECT * INTO known FROM feed.identity;
    END IF;
    -- The sequence is unlogged and is reset by a crash, but the setting that NOTIFY is switched off survives it.
    IF pg_sequence_last_value('feed.notify_suppressed_until') IS DISTINCT FROM 9007199254740991 AND (SELECT p.muted FROM feed.pacer AS p) THEN
        PERFORM setval('feed.notify_suppressed_until', 9007199254740991) FROM (SELECT FROM feed.pacer AS p WHERE p.muted FOR SHARE) AS locked;
    END IF;
    RETURN known.feed_id;
END
$$;

ALTER FUNCTION feed.identify() OWNER TO feed_owner;

--
-- Name: FUNCTION identify(); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.identify() IS 'The feed ID, which is part of every cursor. Renews it after a restore or a failover. Readers call it whenever they connect.';

--
-- Name: log_partitions(); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.log_partitions(OUT partition regclass, OUT bounds text, OUT first_seq bigint, OUT first_at timestamp with time zone, OUT last_seq bigint, OUT last_at timestamp with time zone) RETURNS SETOF record
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'feed', 'pg_temp'
    AS $$
BEGIN
    FOR partition, bounds IN
        SELECT c.oid::regclass, pg_get_expr(c.relpartbound, c.oid)
        FROM pg_class AS c
        WHERE c.relkind = 'r'
          AND (c.oid = 'feed.log'::regclass OR c.oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'feed.log'::regclass))
    LOOP
        first_seq := NULL;
        first_at := NULL;
        last_seq := NULL;
        last_at := NULL;
        EXECUTE format('SELECT seq, at FROM %s ORDER BY seq LIMIT 1', partition) INTO first_seq, first_at;
        EXECUTE format('SELECT seq, at FROM %s ORDER BY seq DESC LIMIT 1', partition) INTO last_seq, last_at;
        RETURN NEXT;
    END LOOP;
END
$$;

ALTER FUNCTION feed.log_partitions(OUT partition regclass, OUT bounds text, OUT first_seq bigint, OUT first_at timestamp with time zone, OUT last_seq bigint, OUT last_at timestamp with time zone) OWNER TO feed_owner;

--
-- Name: FUNCTION log_partitions(OUT partition regclass, OUT bounds text, OUT first_seq bigint, OUT first_at timestamp with time zone, OUT last_seq bigint, OUT last_at timestamp with time zone); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.log_partitions(OUT partition regclass, OUT bounds text, OUT first_seq bigint, OUT first_at timestamp with time zone, OUT last_seq bigint, OUT last_at timestamp with time zone) IS 'Partitions of feed.log, with the first and the last row of each. See feed.retention.';

--
-- Name: maintain(); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.maintain() RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'feed', 'pg_temp'
    SET lock_timeout TO '200ms'
    AS $$
DECLARE
    plan feed.maintenance;
    ahead text;
    dropped record;
BEGIN
    SELECT * INTO plan FROM feed.maintenance FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    DELETE FROM feed.gap_reports WHERE at < clock_timestamp() - plan.retention;
    -- Read under the lock: a partition number from before it may be that of the partition that is current by now.
    ahead := format('feed.log_%s', current_partition() + 1);
    IF to_regclass(ahead) IS NULL THEN
        BEGIN
            PERFORM feed.make_partition(current_partition() + 1);
        EXCEPTION WHEN lock_not_available THEN
            RETURN NULL;
        END;
        RETURN format('created %s', ahead);
    END IF;
    -- The retention period spans about ten partitions. An empty partition stays current.
    IF clock_timestamp() - plan.rotated_at > plan.retention / 9
       AND EXISTS (SELECT FROM feed.log AS l WHERE l.partition_number = current_partition()) THEN
        RETURN format('started feed.log_%s', feed.rotate_partition());
    END IF;
    SELECT * INTO dropped FROM feed.prune(clock_timestamp() - plan.retention);
    RETURN format('dropped %s with %s rows', dropped.partition, dropped.forgotten)
    WHERE dropped.partition IS NOT NULL;
END
$$;

ALTER FUNCTION feed.maintain() OWNER TO feed_owner;

--
-- Name: FUNCTION maintain(); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.maintain() IS 'Creates the next partition of feed.log in advance, switches to it when it is due, and drops partitions older than feed.maintenance.retention. One step per call; returns a description of it, or null.';

--
-- Name: make_partition(bigint); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.make_partition(number bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'feed', 'pg_temp'
    AS $$
BEGIN
    EXECUTE format('CREATE TABLE feed.log_%s (LIKE feed.log) '
                   'WITH (autovacuum_freeze_min_age = 0, autovacuum_vacuum_insert_scale_factor = 0.05)', number);
    EXECUTE format('COMMENT ON TABLE feed.log_%s IS %L', number, 'Partition of feed.log. Dropped when all its rows are older than the retention period.');
    LOCK TABLE feed.identity IN ACCESS EXCLUSIVE MODE;
    EXECUTE format('ALTER TABLE feed.log ATTACH PARTITION feed.log_%s FOR VALUES FROM (%s) TO (%s)', number, number, number + 1);
END
$$;

ALTER FUNCTION feed.make_partition(number bigint) OWNER TO feed_owner;

--
-- Name: FUNCTION make_partition(number bigint); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.make_partition(number bigint) IS 'Creates a partition of feed.log that is not being written yet.';

--
-- Name: missing_column(regclass, jsonb, text[]); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.missing_column(target regclass, data jsonb, columns text[]) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
    IF NOT data ?& columns THEN
        RAISE EXCEPTION 'table % was attached with column %, which no longer exists', target,
            (SELECT quote_ident(c.name) FROM unnest(columns) AS c(name) WHERE NOT data ? c.name LIMIT 1)
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = format('It was renamed or dropped. Attach the table again with the current column names: SELECT feed.attach(%L, ...).', target);
    END IF;
    RETURN NULL;
END
$$;

ALTER FUNCTION feed.missing_column(target regclass, data jsonb, columns text[]) OWNER TO feed_owner;

--
-- Name: FUNCTION missing_column(target regclass, data jsonb, columns text[]); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.missing_column(target regclass, data jsonb, columns text[]) IS 'Raises an error if a row lacks one of these columns; otherwise returns null. Used by feed.capture if it finds no key or board.';

--
-- Name: name_author(); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.name_author() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM pg_catalog.set_config('feed.named', TG_RELID::pg_catalog.text, true);
    RETURN NULL;
END
$$;

ALTER FUNCTION feed.name_author() OWNER TO feed_owner;

--
-- Name: FUNCTION name_author(); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.name_author() IS 'Trigger of an attached table with a column last_modified_by: tells feed.capture that the statement sets it.';

--
-- Name: new_id(); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.new_id() RETURNS text
    LANGUAGE sql
    RETURN "left"(replace((gen_random_uuid())::text, '-'::text, ''::text), 10);

ALTER FUNCTION feed.new_id() OWNER TO feed_owner;

--
-- Name: FUNCTION new_id(); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.new_id() IS 'A new feed ID: ten hexadecimal digits.';

--
-- Name: normalize_image(regclass, jsonb); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.normalize_image(target regclass, image jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    AS $_$
DECLARE
    normalized jsonb;
BEGIN
    IF target IS NULL THEN
        RETURN NULL;
    END IF;
    EXECUTE pg_catalog.format('SELECT pg_catalog.to_jsonb(pg_catalog.jsonb_populate_record(NULL::%s, $1))', target) INTO normalized USING image;
    RETURN normalized;
EXCEPTION WHEN data_exception OR integrity_constraint_violation THEN
    RETURN image;
END
$_$;

ALTER FUNCTION feed.normalize_image(target regclass, image jsonb) OWNER TO feed_owner;

--
-- Name: FUNCTION normalize_image(target regclass, image jsonb); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.normalize_image(target regclass, image jsonb) IS 'A row image from the log, written the way the table would give it now: feed.normalize_image(''tasks'', new).';

--
-- Name: notify(bigint, text, text); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.notify(seq bigint, relation text, op text) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    this_transaction text := pg_catalog.pg_current_xact_id()::text;
BEGIN
    IF pg_catalog.current_setting('feed.notified_in', true) IS DISTINCT FROM this_transaction THEN
        PERFORM pg_catalog.set_config('feed.notified_in', this_transaction, true);
        PERFORM pg_catalog.pg_notify('boardcast',
            pg_catalog.json_build_object('seq', seq, 'table', relation, 'op', op)::text);
    END IF;
END
$$;

ALTER FUNCTION feed.notify(seq bigint, relation text, op text) OWNER TO feed_owner;

--
-- Name: FUNCTION notify(seq bigint, relation text, op text); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.notify(seq bigint, relation text, op text) IS 'Wakes up the readers: NOTIFY boardcast, once per transaction. The payload is informational only; readers do not use it.';

--
-- Name: notify_presence(); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.notify_presence() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    lease public.user_presence := coalesce(NEW, OLD);
BEGIN
    -- If NOTIFY is switched off, the services see the change when they renew their leases.
    IF pg_catalog.pg_sequence_last_value('feed.notify_suppressed_until') = 9007199254740991 THEN
        RETURN NULL;
    END IF;
    PERFORM pg_catalog.pg_notify('boardcast_presence', pg_catalog.json_build_object(
        'op', pg_catalog.lower(TG_OP), 'user', lease.user_id, 'opportunity', lease.opportunity_id, 'board', lease.board_id,
        'action', lease.action)::text);
    RETURN NULL;
END
$$;

ALTER FUNCTION feed.notify_presence() OWNER TO feed_owner;

--
-- Name: FUNCTION notify_presence(); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.notify_presence() IS 'Trigger of user_presence: NOTIFY boardcast_presence when somebody arrives, leaves or starts editing.';

--
-- Name: parse_cursor(text); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.parse_cursor(cursor text, OUT feed_id text, OUT xmax xid8, OUT xip xid8[], OUT anchor bigint, OUT tag text) RETURNS record
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $_$
    SELECT part[1], part[3]::xid8, progress.xip::text[]::xid8[], least(part[5]::numeric, 9223372036854775807)::bigint, part[6]
    FROM regexp_match(cursor,
        '^([0-9a-z]{1,32})[.](0|[1-9][0-9]{0,18})[.](0|[1-9][0-9]{0,18})[.]((?:0(?:-[1-9][0-9]{0,18})*)?)[.](0|[1-9][0-9]{0,18})[.]([0-9a-f]{8})$') AS part
    CROSS JOIN LATERAL (
        SELECT coalesce(array_agg(d.xid ORDER BY d.place), '{}') AS xip, max(d.xid) AS last
        FROM (SELECT d.place, part[2]::numeric + sum(d.distance::numeric) OVER (ORDER BY d.place) AS xid
              FROM unnest(string_to_array(nullif(part[4], ''), '-')) WITH ORDINALITY AS d(distance, place)) AS d
    ) AS progress
    WHERE length(cursor) <= 4096
      AND CASE WHEN progress.last IS NULL THEN part[2] = part[3] ELSE progress.last < part[3]::numeric END
$_$;

ALTER FUNCTION feed.parse_cursor(cursor text, OUT feed_id text, OUT xmax xid8, OUT xip xid8[], OUT anchor bigint, OUT tag text) OWNER TO feed_owner;

--
-- Name: FUNCTION parse_cursor(cursor text, OUT feed_id text, OUT xmax xid8, OUT xip xid8[], OUT anchor bigint, OUT tag text); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.parse_cursor(cursor text, OUT feed_id text, OUT xmax xid8, OUT xip xid8[], OUT anchor bigint, OUT tag text) IS 'The parts of a cursor. Its holder has seen all transactions below xmax except those in xip; anchor is the newest row of the log among them. All null if the cursor is malformed.';

SET default_table_access_method = heap;

--
-- Name: attached; Type: TABLE; Schema: feed; Owner: feed_owner
--

CREATE TABLE feed.attached (
    relation regclass NOT NULL,
    xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    attached_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    attached_by text DEFAULT SESSION_USER NOT NULL
);

ALTER TABLE feed.attached OWNER TO feed_owner;

--
-- Name: TABLE attached; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON TABLE feed.attached IS 'When each table was attached. Changes made before that are not in the log, and do not have to be.';

--
-- Name: COLUMN attached.relation; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.attached.relation IS 'The table';

--
-- Name: COLUMN attached.xid; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.attached.xid IS 'Newest transaction that may have written to the table before it was attached; usually the transaction that attached it';

--
-- Name: COLUMN attached.attached_at; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.attached.attached_at IS 'When the table was attached';

--
-- Name: COLUMN attached.attached_by; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.attached.attached_by IS 'session_user who attached it';

--
-- Name: plain_relations(); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.plain_relations() RETURNS text[]
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (SELECT COALESCE(array_agg(feed.relation_name((a.relation)::oid)), '{}'::text[]) AS "coalesce" FROM feed.attached a WHERE (NOT (EXISTS (SELECT FROM (pg_attribute c JOIN pg_type t ON ((t.oid = c.atttypid))) WHERE ((c.attrelid = (a.relation)::oid) AND (c.attnum > 0) AND (t.typtype <> 'e'::"char") AND (t.oid <> ALL (('{boolean,smallint,integer,bigint,real,"double precision",numeric,text,"character varying",character,uuid,date,"timestamp without time zone","timestamp with time zone"}'::regtype[])::oid[])))))));

ALTER FUNCTION feed.plain_relations() OWNER TO feed_owner;

--
-- Name: FUNCTION plain_relations(); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.plain_relations() IS 'Attached tables for which two values in row images are equal if their texts (->>) are equal.';

--
-- Name: prune(timestamp with time zone); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.prune(before timestamp with time zone, OUT partition text, OUT forgotten bigint) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'feed', 'pg_temp'
    SET lock_timeout TO '200ms'
    AS $_$
DECLARE
    newest feed.log;
    candidate record;
    last record;
    later boolean;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'feed.prune needs a new snapshot for each statement, so that it sees all rows before it drops a partition' USING ERRCODE = 'active_sql_transaction',
            HINT = 'Call feed.prune in a READ COMMITTED transaction.';
    END IF;
    PERFORM FROM feed.maintenance FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        forgotten := 0;
        RETURN;
    END IF;
    SELECT * INTO newest FROM feed.log ORDER BY seq DESC LIMIT 1;
    -- The whole current partition is old, and it contains more than the one row that is kept.
    IF newest.at < before AND newest.partition_number = current_partition() AND to_regclass(format('feed.log_%s', newest.partition_number + 1)) IS NOT NULL
       AND EXISTS (SELECT FROM feed.log AS l WHERE l.partition_number = newest.partition_number AND l.seq < newest.seq) THEN
        PERFORM feed.rotate_partition();
    END IF;
    FOR candidate IN
        SELECT format('feed.%I', c.relname) AS name, substring(c.relname FROM '^log_([0-9]+)$')::bigint AS partition_number
        FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'feed.log'::regclass
        ORDER BY partition_number NULLS LAST
    LOOP
        CONTINUE WHEN candidate.partition_number >= current_partition();
        -- The row with the highest number is cheap to find and usually decides. All rows are read only if it is old.
        EXECUTE format('SELECT seq, at FROM %s ORDER BY seq DESC LIMIT 1', candidate.name) INTO last;
        CONTINUE WHEN last.at >= before OR (last.seq IS NULL AND candidate.partition_number IS NULL);
        EXECUTE format('SELECT max(seq) AS seq, max(xid) AS xid, max(at) AS at, count(*) AS rows, pg_current_snapshot() AS snapshot FROM %s',
                       candidate.name) INTO last;
        CONTINUE WHEN last.at >= before;
        BEGIN
            -- In the order in which readers take these locks. feed.make_partition() needs the first.
            LOCK TABLE feed.identity, ONLY feed.log IN ACCESS EXCLUSIVE MODE;
            EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', candidate.name);
        EXCEPTION WHEN lock_not_available THEN
            forgotten := 0;
            RETURN;
        END;
        -- A transaction that was in progress then and has committed since may have rows here that were not counted, so the
        -- recorded position might not cover them. The next call counts again. (Counting again under the lock would take too
        -- long.)
        EXECUTE format('SELECT EXISTS (SELECT FROM %1$s WHERE xid >= $1 AND partition_number >= $3) OR EXISTS (SELECT FROM %1$s WHERE xid = ANY ($2) AND partition_number >= $3)',
                       candidate.name)
        INTO later
        USING pg_snapshot_xmax(last.snapshot), ARRAY(SELECT pg_snapshot_xip(last.snapshot)), (SELECT i.first_partition FROM feed.identity AS i);
        CONTINUE WHEN later;
        SELECT * INTO newest FROM feed.log ORDER BY seq DESC LIMIT 1;
        EXECUTE format('DROP TABLE %s', candidate.name);
        IF candidate.partition_number IS NULL THEN
            CREATE TABLE feed.log_default PARTITION OF feed.log DEFAULT;
            COMMENT ON TABLE feed.log_default IS 'Rows whose partition is missing. Empty unless somebody dropped or detached a partition by hand.';
        END IF;
        partition := candidate.name;
        forgotten := last.rows;
        IF newest.seq = last.seq THEN
            newest.partition_number := current_partition();
            INSERT INTO feed.log SELECT newest.*;
            last.seq := last.seq - 1;
            forgotten := forgotten - 1;
        END IF;
        -- Transaction IDs of another cluster do not apply to cursors made in this one.
        UPDATE feed.identity
        SET floor_seq = greatest(floor_seq, last.seq),
            floor_xid = CASE WHEN last.xid > floor_xid AND coalesce(candidate.partition_number >= first_partition, true) THEN last.xid ELSE floor_xid END;
        IF to_regclass(format('feed.log_%s', current_partition() + 1)) IS NULL THEN
            PERFORM feed.make_partition(current_partition() + 1);
        END IF;
        RETURN;
    END LOOP;
END
$_$;

ALTER FUNCTION feed.prune(before timestamp with time zone, OUT partition text, OUT forgotten bigint) OWNER TO feed_owner;

--
-- Name: FUNCTION prune(before timestamp with time zone, OUT partition text, OUT forgotten bigint); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.prune(before timestamp with time zone, OUT partition text, OUT forgotten bigint) IS 'Drops the oldest partition of feed.log if all its rows are older than a time. Cursors from before it get a reset with the reason "pruned". Returns the partition and the number of rows removed: nulls if no partition is that old; no partition and 0 if the log is in use.';

--
-- Name: realtime(text); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.realtime(user_id text) RETURNS text
    LANGUAGE sql STABLE
    AS $_$
    SELECT CASE WHEN EXISTS (SELECT FROM feed.flags AS f WHERE f.flag = 'capture') THEN 'off' ELSE coalesce((
        SELECT f.value FROM feed.flags AS f
        WHERE f.flag = 'realtime'
          AND CASE f.scope WHEN 'user' THEN f.user_id = $1 WHEN 'percentage' THEN feed.rollout_bucket($1) < f.percentage ELSE true END
        ORDER BY array_position('{user,percentage,everybody}', f.scope) LIMIT 1), 'websocket') END
$_$;

ALTER FUNCTION feed.realtime(user_id text) OWNER TO feed_owner;

--
-- Name: FUNCTION realtime(user_id text); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.realtime(user_id text) IS 'The best transport that a user is offered: websocket, sse, poll or off. Null: an unknown user, to whom only settings for everybody apply.';

--
-- Name: repair(regclass, text[]); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.repair(target regclass, keys text[]) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'feed', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    SET row_security TO 'off'
    AS $_$
DECLARE
    parts record := feed.fed_columns(target);
    emptied bigint;
    written bigint;
    skips boolean;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'feed.repair must see everything that was committed before it locked the table' USING ERRCODE = 'active_sql_transaction',
            HINT = 'Run feed.repair in a READ COMMITTED transaction.';
    END IF;
    IF current_setting('synchronous_commit') = 'off' THEN
        PERFORM set_config('synchronous_commit', 'local', true);
    END IF;
    EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', target);
    SELECT max(l.seq) INTO emptied FROM feed.log AS l WHERE l.relation = parts.relation AND l.key IS NULL AND l.op = 'truncate';
    EXECUTE format($query$
        WITH written AS (
            INSERT INTO feed.log (relation, op, key, board, old, new, version, actor, origin, db_user, application, client_addr, pid, notified)
        SELECT %1$L, step.op, r.key, CASE WHEN step.op IN ('leave', 'delete') THEN r.before ->> $3 ELSE r.after ->> $3 END,
               r.before, r.after, (coalesce(r.after, r.before) ->> 'version_number')::integer,
               coalesce(nullif(current_setting('feed.actor', true), ''), session_user), 'repair',
               session_user, current_setting('application_name'), inet_client_addr(), pg_backend_pid(), true
        FROM (
            SELECT k.key, k.place, t.data AS after, l.new AS before
            FROM unnest($1) WITH ORDINALITY AS k(key, place)
            LEFT JOIN LATERAL (SELECT %4$s AS data FROM %2$s AS t WHERE %3$s) AS t ON true
            LEFT JOIN LATERAL (SELECT CASE WHEN l.seq > coalesce($2, 0) AND l.op IN ('insert', 'update', 'enter') THEN l.new END AS new
                               FROM feed.log AS l WHERE l.relation = %1$L AND l.key = k.key ORDER BY l.seq DESC LIMIT 1) AS l ON true
        ) AS r
        CROSS JOIN LATERAL unnest(
            CASE WHEN r.before IS NULL THEN '{insert}'::text[]
                 WHEN r.after IS NULL THEN '{delete}'::text[]
                 WHEN r.before ->> $3 IS DISTINCT FROM r.after ->> $3 THEN '{leave,enter}'::text[]
                 ELSE '{update}'::text[] END) WITH ORDINALITY AS step(op, number)
        WHERE r.before IS DISTINCT FROM r.after
        ORDER BY r.place, step.number
        RETURNING op, old, new
        )
        SELECT count(*), bool_or(op <> 'delete' AND (new ->> 'version_number')::integer <> (old ->> 'version_number')::integer + 1) FROM written
    $query$, parts.relation, target, parts.matches, parts.image) INTO written, skips USING keys, emptied, parts.board;
    IF skips THEN
        -- Clients compare versions. They would ignore a version that is not newer than theirs, and would take a jump of
        -- more than one, like a checkpoint that does not match, as a sign of a missing change.
        INSERT INTO feed.log (relation, op, actor, origin, db_user, application, client_addr, pid)
        VALUES (parts.relation, 'reload', coalesce(nullif(current_setting('feed.actor', true), ''), session_user), 'repair',
                session_user, current_setting('application_name'), inet_client_addr(), pg_backend_pid());
    END IF;
    IF written > 0 THEN
        PERFORM feed.notify(currval('feed.log_seq'), parts.relation, 'repair');
    END IF;
    RETURN written;
END
$_$;

ALTER FUNCTION feed.repair(target regclass, keys text[]) OWNER TO feed_owner;

--
-- Name: FUNCTION repair(target regclass, keys text[]); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.repair(target regclass, keys text[]) IS 'Logs the current state of the rows with these keys where the log differs, with origin repair. Returns the number of log rows written. Blocks writers of the table until the transaction ends.';

--
-- Name: report_gap(text, text, text, text, text, bigint, text, bigint, text); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.report_gap(instance text, user_id text, connection text, board text, cursor text, expected_count bigint, expected_hash text, held_count bigint, held_hash text) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'feed', 'pg_temp'
    AS $$
#variable_conflict use_variable
DECLARE
    reported CONSTANT timestamptz := clock_timestamp();
    same record;
    actual record;
    suspects text[];
    cause text;
BEGIN
    IF num_nulls(instance, board, cursor, expected_count, expected_hash, held_count, held_hash) > 0
       OR (SELECT count(*) >= 600 FROM feed.gap_reports AS g WHERE g.at > reported - interval '1 minute')
       OR EXISTS (SELECT FROM feed.gap_reports AS g
                  WHERE g.at > reported - interval '5 s' AND g.user_id = report_gap.user_id AND g.board = report_gap.board) THEN
        RETURN NULL;
    END IF;
    -- Clients that miss the same rows miss them for the same reason, so only the first of them is investigated.
    SELECT g.cause, g.cards INTO same
    FROM feed.gap_reports AS g
    WHERE g.at > reported - interval '2 minutes' AND g.board = report_gap.board
      AND g.expected_count - g.held_count = expected_count - held_count
      AND (('x' || g.expected_hash)::bit(32)::bigint - ('x' || g.held_hash)::bit(32)::bigint) & 4294967295
        = (('x' || expected_hash)::bit(32)::bigint - ('x' || held_hash)::bit(32)::bigint) & 4294967295
    ORDER BY g.user_id NULLS FIRST, g.at DESC
    LIMIT 1;
    IF FOUND THEN
        cause := same.cause;
        suspects := same.cards;
    ELSE
        SELECT coalesce(array_agg(s.id ORDER BY s.id), '{}') INTO suspects
        FROM (SELECT o.id::text AS id
              FROM public.opportunities AS o
              CROSS JOIN LATERAL (SELECT l.op, l.version FROM feed.log AS l
                                  WHERE l.relation = 'opportunities' AND l.key = o.id::text
                                  ORDER BY l.seq DESC LIMIT 1) AS newest
              WHERE o.board_id = board AND (newest.version <> o.version_number OR newest.op = 'delete')
              LIMIT 10) AS s;
        IF user_id IS NULL THEN
            cause := 'unlogged';
        ELSIF feed.cursor_fault(cursor) IS NOT NULL THEN
            cause := 'cursor';
        ELSE
            SELECT c.count, c.hash INTO actual FROM feed.checkpoint_seen(board, cursor) AS c;
            IF actual.count IS NULL THEN
                RETURN NULL;
            END IF;
            cause := CASE WHEN suspects <> '{}' THEN 'unlogged'
                          WHEN (held_count, held_hash) = (actual.count, actual.hash) THEN 'feed'
                          WHEN (expected_count, expected_hash) = (actual.count, actual.hash) THEN 'delivery'
                          ELSE 'unlogged' END;
        END IF;
    END IF;
    INSERT INTO feed.gap_reports (at, instance, user_id, connection, board, cursor,
                                  expected_count, expected_hash, held_count, held_hash, cause, cards)
    VALUES (reported, instance, user_id, connection, board, cursor,
            expected_count, expected_hash, held_count, held_hash, cause, suspects);
    RETURN cause;
END
$$;

ALTER FUNCTION feed.report_gap(instance text, user_id text, connection text, board text, cursor text, expected_count bigint, expected_hash text, held_count bigint, held_hash text) OWNER TO feed_owner;

--
-- Name: FUNCTION report_gap(instance text, user_id text, connection text, board text, cursor text, expected_count bigint, expected_hash text, held_count bigint, held_hash text); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.report_gap(instance text, user_id text, connection text, board text, cursor text, expected_count bigint, expected_hash text, held_count bigint, held_hash text) IS 'Called by the services: records in feed.gap_reports that a client has other rows of a board than the checkpoint, with the suspected cause. Returns the cause; null if the report was not recorded.';

--
-- Name: reset_feed(text); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.reset_feed(why text DEFAULT 'by hand'::text) RETURNS text
    LANGUAGE sql
    AS $$
    SELECT pg_notify('boardcast', '');
    UPDATE feed.identity SET feed_id = feed.new_id(), renewed_at = clock_timestamp(), reason = why RETURNING feed_id
$$;

ALTER FUNCTION feed.reset_feed(why text) OWNER TO feed_owner;

--
-- Name: FUNCTION reset_feed(why text); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.reset_feed(why text) IS 'Renews the feed ID, so that every client loads a new snapshot when it connects next.';

--
-- Name: rollout_bucket(text); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.rollout_bucket(user_id text) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    SELECT (('x' || left(encode(sha256(convert_to(user_id, 'UTF8')), 'hex'), 8))::bit(32)::bigint % 100)::integer
$$;

ALTER FUNCTION feed.rollout_bucket(user_id text) OWNER TO feed_owner;

--
-- Name: FUNCTION rollout_bucket(user_id text); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.rollout_bucket(user_id text) IS 'Bucket of a user for rollout percentages, 0 to 99, from a hash of the user ID. A rollout percentage of 10 applies to buckets below 10.';

--
-- Name: rotate_partition(); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.rotate_partition() RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'feed', 'pg_temp'
    AS $$
DECLARE
    wide CONSTANT bigint := 4294967296;
    next_number bigint;
    own bigint;
    drawn bigint;
BEGIN
    -- The lock prevents concurrent rotations. The number is read while it is held, so it never goes back.
    PERFORM FROM feed.maintenance FOR UPDATE;
    next_number := pg_sequence_last_value('feed.partition_number') + 1;
    PERFORM setval('feed.partition_xid', 9223372036854775807);
    PERFORM setval('feed.partition_number', next_number);
    own := pg_current_xact_id()::text::bigint;
    BEGIN
        UPDATE feed.maintenance SET rotated_at = clock_timestamp() RETURNING xmin::text::bigint INTO drawn;
    EXCEPTION WHEN raise_exception THEN
        NULL; -- never happens: the handler makes this block a subtransaction
    END;
    -- xmin contains only the lower half of the ID.
    drawn := own - own % wide + drawn + CASE WHEN drawn < own % wide THEN wide ELSE 0 END;
    PERFORM setval('feed.partition_xid', drawn);
    RETURN next_number;
END
$$;

ALTER FUNCTION feed.rotate_partition() OWNER TO feed_owner;

--
-- Name: FUNCTION rotate_partition(); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.rotate_partition() IS 'Switches writing to the next partition of feed.log and returns its number.';

--
-- Name: row_hash(text, integer); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.row_hash(id text, version integer) RETURNS bigint
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    steps CONSTANT bigint[] := '{0,498536548,997073096,651767980,1994146192,1802195444,1303535960,1342533948,3988292384,4027552580,3604390888,3412177804,2607071920,2262029012,2685067896,3183342108}';
    low CONSTANT bigint := 4294967295;
    bytes bytea := convert_to(coalesce(id, ''), 'UTF8');
    h bigint := low;
BEGIN
    FOR i IN 0..length(bytes) - 1 LOOP
        h := h # get_byte(bytes, i);
        h := (h >> 4) # steps[(h & 15) + 1];
        h := (h >> 4) # steps[(h & 15) + 1];
    END LOOP;
    h := ((h # low) + coalesce(version, 0) * 2654435761) & low;
    h := h # (h >> 16);
    h := ((((h >> 16) * 2246822507 & 65535) << 16) + (h & 65535) * 2246822507) & low;
    h := h # (h >> 13);
    h := ((((h >> 16) * 3266489909 & 65535) << 16) + (h & 65535) * 3266489909) & low;
    RETURN h # (h >> 16);
END
$$;

ALTER FUNCTION feed.row_hash(id text, version integer) OWNER TO feed_owner;

--
-- Name: FUNCTION row_hash(id text, version integer); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.row_hash(id text, version integer) IS 'The contribution of one row to the hash of a checkpoint (docs/protocol.md). The hash of a board is the sum over its rows, modulo 2^32.';

--
-- Name: row_image(record); Type: FUNCTION; Schema: feed; Owner: feed_sandbox
--

CREATE FUNCTION feed.row_image(row_data record) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    AS $$
BEGIN
    IF CURRENT_USER OPERATOR(pg_catalog.=) 'feed_owner'::pg_catalog.name THEN
        RAISE EXCEPTION 'feed.row_image must not run as %', CURRENT_USER USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'The function was altered. SELECT fix FROM feed.health WHERE topic = ''ownership'' shows how to restore it.';
    END IF;
    RETURN pg_catalog.to_jsonb(row_data);
END
$$;

ALTER FUNCTION feed.row_image(row_data record) OWNER TO feed_sandbox;

--
-- Name: FUNCTION row_image(row_data record); Type: COMMENT; Schema: feed; Owner: feed_sandbox
--

COMMENT ON FUNCTION feed.row_image(row_data record) IS 'A row as JSON, made without any privileges. Used by feed.capture.';

--
-- Name: row_key(jsonb, text[]); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.row_key(row_data jsonb, key_columns text[]) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN (cardinality(key_columns) = 1) THEN (row_data ->> (key_columns)[1]) WHEN (row_data ?& key_columns) THEN (SELECT (jsonb_agg((row_key.row_data -> k.name) ORDER BY k.place))::text AS jsonb_agg FROM unnest(row_key.key_columns) WITH ORDINALITY k(name, place)) ELSE NULL::text END;

ALTER FUNCTION feed.row_key(row_data jsonb, key_columns text[]) OWNER TO feed_owner;

--
-- Name: FUNCTION row_key(row_data jsonb, key_columns text[]); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.row_key(row_data jsonb, key_columns text[]) IS 'Key of a row as written in feed.log: the text of a single key column, or a JSON array of several.';

--
-- Name: seq_since(timestamp with time zone); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.seq_since(moment timestamp with time zone) RETURNS bigint
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    low bigint := (SELECT min(l.seq) FROM feed.log AS l);
    high bigint := (SELECT max(l.seq) + 1 FROM feed.log AS l);
    middle bigint;
    found_seq bigint;
    found_at timestamptz;
BEGIN
    WHILE low < high LOOP
        middle := low + (high - low) / 2;
        SELECT l.seq, l.at INTO found_seq, found_at FROM feed.log AS l WHERE l.seq >= middle ORDER BY l.seq LIMIT 1;
        IF found_at <= moment THEN
            low := found_seq + 1;
        ELSE
            high := middle;
        END IF;
    END LOOP;
    RETURN coalesce(low, 0);
END
$$;

ALTER FUNCTION feed.seq_since(moment timestamp with time zone) OWNER TO feed_owner;

--
-- Name: FUNCTION seq_since(moment timestamp with time zone); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.seq_since(moment timestamp with time zone) IS 'First sequence number written after a time, found quickly: WHERE seq >= feed.seq_since(''yesterday 10:00'') AND seq < feed.seq_since(''yesterday 10:30'').';

--
-- Name: set_capture(boolean); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.set_capture(captures boolean) RETURNS SETOF regclass
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'feed', 'pg_temp'
    SET lock_timeout TO '900ms'
    AS $$
DECLARE
    deadline CONSTANT timestamptz := clock_timestamp() + interval '900 ms';
    was_off CONSTANT boolean := EXISTS (SELECT FROM feed.flags AS f WHERE f.flag = 'capture');
    tables regclass[];
    not_owned record;
    locked regclass;
    each record;
    always jsonb;
BEGIN
    IF captures IS NULL THEN
        RETURN;
    END IF;
    SELECT array_agg(DISTINCT t.relation::oid ORDER BY t.relation::oid) INTO tables
    FROM feed.triggers AS t
    WHERE t.function IN ('capture', 'guard_key', 'name_author') AND t.relation <> 'feed.flags'::regclass
      AND t.state = ANY (CASE WHEN captures THEN '{disabled}' ELSE '{on,always,stale}' END::text[]);
    tables := coalesce(tables, '{}');
    SELECT c.oid::regclass AS name, pg_get_userbyid(c.relowner) AS owner INTO not_owned
    FROM pg_class AS c WHERE c.oid = ANY (tables) AND NOT pg_has_role(c.relowner, 'USAGE') LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'table % is owned by %, and only its owner can enable or disable its triggers', not_owned.name, quote_ident(not_owned.owner)
            USING ERRCODE = 'insufficient_privilege',
                  HINT = format('GRANT %I TO %I, or run this as a superuser.', not_owned.owner, current_user);
    END IF;
    IF current_setting('synchronous_commit') = 'off' THEN
        PERFORM set_config('synchronous_commit', 'local', true);
    END IF;
    FOREACH locked IN ARRAY tables LOOP
        PERFORM set_config('lock_timeout', greatest(1, extract(epoch FROM deadline - clock_timestamp()) * 1000)::integer::text, true);
        EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', locked);
    END LOOP;

    IF captures THEN
        DELETE FROM feed.flags AS f WHERE f.flag = 'capture' RETURNING f.always_triggers INTO always;
    ELSE
        SELECT jsonb_object_agg(a.name, a.triggers) INTO always
        FROM (SELECT t.relation::text AS name, jsonb_agg(t.trigger) AS triggers FROM feed.triggers AS t
              WHERE t.relation = ANY (tables) AND t.state = 'always' GROUP BY t.relation) AS a;
        INSERT INTO feed.flags AS f (flag, scope, value, always_triggers) VALUES ('capture', 'everybody', 'off', always)
        ON CONFLICT (flag, scope, user_id) DO UPDATE SET always_triggers = coalesce(f.always_triggers, '{}') || coalesce(excluded.always_triggers, '{}');
    END IF;
    FOR each IN
        SELECT t.relation, t.trigger FROM feed.triggers AS t
        WHERE t.relation = ANY (tables) AND t.function IN ('capture', 'guard_key', 'name_author') AND t.state <> 'missing'
    LOOP
        EXECUTE format('ALTER TABLE %s %s TRIGGER %I', each.relation,
                       CASE WHEN NOT captures THEN 'DISABLE' WHEN always -> each.relation::text ? each.trigger THEN 'ENABLE ALWAYS' ELSE 'ENABLE' END,
                       each.trigger);
    END LOOP;
    IF captures AND (was_off OR tables <> '{}') THEN
        PERFORM feed.reset_feed('capture was off');
    END IF;
    RETURN QUERY SELECT unnest(tables);
END
$$;

ALTER FUNCTION feed.set_capture(captures boolean) OWNER TO feed_owner;

--
-- Name: FUNCTION set_capture(captures boolean); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.set_capture(captures boolean) IS 'Switches logging of writes on or off, and returns the tables affected. Off: the feed''s triggers are disabled on all attached tables, and no user is offered live updates. Switching it on again renews the feed ID, so that every client reloads; run boardcast verify --repair afterwards. Waits for writers for at most 0.9 s in total, then fails with SQLSTATE 55P03.';

--
-- Name: set_notify(boolean); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.set_notify(enabled boolean) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'feed', 'pg_temp'
    AS $$
BEGIN
    UPDATE feed.pacer SET muted = NOT enabled WHERE muted = enabled;
    IF enabled THEN
        DELETE FROM feed.flags AS f WHERE f.flag = 'notify';
    ELSIF NOT enabled THEN
        INSERT INTO feed.flags (flag, scope, value) VALUES ('notify', 'everybody', 'off') ON CONFLICT DO NOTHING;
    END IF;
    PERFORM pg_notify('boardcast_pacer', '');
    PERFORM setval('feed.notify_suppressed_until', CASE WHEN enabled THEN 0 WHEN NOT enabled THEN 9007199254740991 END);
END
$$;

ALTER FUNCTION feed.set_notify(enabled boolean) OWNER TO feed_owner;

--
-- Name: FUNCTION set_notify(enabled boolean); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.set_notify(enabled boolean) IS 'Switches NOTIFY on or off. Off: no trigger sends NOTIFY. Changes are logged as before, and delivered by the read pass that every instance makes once a second.';

--
-- Name: tail(interval, text, text, text, text, integer); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.tail(since interval DEFAULT '00:10:00'::interval, board text DEFAULT NULL::text, opportunity text DEFAULT NULL::text, actor text DEFAULT NULL::text, relation text DEFAULT NULL::text, lim integer DEFAULT 50) RETURNS SETOF feed.trigger_log
    LANGUAGE sql STABLE
    AS $$
    SELECT newest.*
    FROM (SELECT t.*
          FROM feed.trigger_log AS t
          WHERE (tail.since IS NULL OR t.seq >= (SELECT feed.seq_since(now() - tail.since)))
            AND (tail.board IS NULL OR t.board = tail.board)
            AND (tail.opportunity IS NULL OR t.relation = 'opportunities' AND t.key = tail.opportunity)
            AND (tail.actor IS NULL OR t.actor = tail.actor)
            AND (tail.relation IS NULL OR t.relation = tail.relation)
          ORDER BY t.seq DESC
          LIMIT tail.lim) AS newest
    ORDER BY newest.seq
$$;

ALTER FUNCTION feed.tail(since interval, board text, opportunity text, actor text, relation text, lim integer) OWNER TO feed_owner;

--
-- Name: FUNCTION tail(since interval, board text, opportunity text, actor text, relation text, lim integer); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.tail(since interval, board text, opportunity text, actor text, relation text, lim integer) IS 'The newest changes, in ascending order: feed.tail(since => ''1 hour'', board => ''b1'', opportunity => ''o1'', actor => ''ana'', relation => ''tasks'', lim => 20). All arguments are optional. since => NULL: of any age.';

--
-- Name: trigger_arguments(bytea); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.trigger_arguments(tgargs bytea, OUT board text, OUT key text[], OUT excluded text[]) RETURNS record
    LANGUAGE sql STABLE
    AS $$
    WITH bytes AS (
        SELECT string_to_array(regexp_replace(encode(tgargs, 'hex'), '(..)', E'\\1 ', 'g'), '00 ') AS parts
    ), given AS (
        SELECT array_agg(convert_from(decode(replace(a.hex, ' ', ''), 'hex'), getdatabaseencoding()) ORDER BY a.place) AS names
        FROM bytes AS b CROSS JOIN LATERAL unnest(b.parts) WITH ORDINALITY AS a(hex, place)
        WHERE a.place < cardinality(b.parts)
    )
    SELECT nullif(g.names[1], ''), g.names[2:coalesce(s.place - 1, cardinality(g.names))],
           coalesce(g.names[s.place + 1:], '{}')
    FROM given AS g CROSS JOIN LATERAL array_position(g.names, '', 2) AS s(place)
$$;

ALTER FUNCTION feed.trigger_arguments(tgargs bytea, OUT board text, OUT key text[], OUT excluded text[]) OWNER TO feed_owner;

--
-- Name: FUNCTION trigger_arguments(tgargs bytea, OUT board text, OUT key text[], OUT excluded text[]); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.trigger_arguments(tgargs bytea, OUT board text, OUT key text[], OUT excluded text[]) IS 'Arguments of a trigger that calls feed.capture, from pg_trigger.tgargs: the board column, the key columns and the excluded columns.';

--
-- Name: verify_log(regclass, text, integer); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.verify_log(target regclass, after text DEFAULT NULL::text, keys integer DEFAULT 1000) RETURNS TABLE(finding text, key text, seq bigint, logged integer, found integer, columns text[], upto text, read bigint)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'feed', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    SET row_security TO 'off'
    AS $_$
DECLARE
    parts record := feed.fed_columns(target);
    last text;
    emptied bigint;
BEGIN
    IF target IS NULL THEN
        RETURN;
    END IF;
    SELECT max(l.seq) INTO emptied FROM feed.log AS l WHERE l.relation = parts.relation AND l.key IS NULL AND l.op = 'truncate';
    SELECT max(k.key) INTO last
    FROM (SELECT DISTINCT l.key FROM feed.log AS l
          WHERE l.relation = parts.relation AND l.key >= coalesce(after, '') AND l.key IS DISTINCT FROM after ORDER BY l.key LIMIT keys) AS k;
    RETURN QUERY EXECUTE format($query$
        WITH history AS MATERIALIZED (
            SELECT l.key, l.seq, l.op, l.version, l.origin, lag(l.version) OVER same AS before,
                   lead(l.seq) OVER same IS NULL AS newest, CASE WHEN lead(l.seq) OVER same IS NULL THEN l.new END AS image
            FROM feed.log AS l
            WHERE l.relation = %1$L AND l.key >= coalesce($1, '') AND l.key IS DISTINCT FROM $1 AND l.key <= $2
            WINDOW same AS (PARTITION BY l.key ORDER BY l.seq)
        ), compared AS (
            SELECT k.key, k.seq, k.version, k.image, t.data,
                   k.op IN ('insert', 'update', 'enter') AND k.seq > coalesce($3, 0) AS lives
            FROM history AS k
            LEFT JOIN LATERAL (SELECT %4$s AS data FROM %2$s AS t WHERE %3$s) AS t ON true
            WHERE k.newest
        ), judged AS (
            SELECT c.key, c.seq, c.version, (c.data ->> 'version_number')::integer AS found,
                   CASE WHEN c.lives AND c.data IS NULL THEN 'gone'
                        WHEN NOT c.lives AND c.data IS NOT NULL THEN 'back'
                        WHEN c.lives AND d.columns IS NOT NULL THEN 'changed' END AS finding, d.columns
            FROM compared AS c
            LEFT JOIN LATERAL (
                SELECT array_agg(n.key ORDER BY n.key) AS columns
                FROM jsonb_each(c.data) AS n
                JOIN jsonb_each(feed.normalize_image(%2$L, c.image)) AS o ON o.key = n.key
                WHERE c.image ? n.key AND n.value IS DISTINCT FROM o.value
            ) AS d ON c.lives AND c.data IS NOT NULL AND c.data <> c.image
        )
        SELECT j.finding, j.key, j.seq, j.version, j.found, j.columns, NULL::text, NULL::bigint
        FROM judged AS j WHERE j.finding IS NOT NULL
        UNION ALL
        SELECT 'hole', s.key, s.seq, s.before, s.version, NULL, NULL, NULL
        FROM history AS s
        -- Other tables may number their versions as they like.
        WHERE %1$L = 'opportunities' AND s.op IN ('update', 'leave') AND s.version <> s.before + 1 AND s.origin IS DISTINCT FROM 'repair'
        UNION ALL
        SELECT NULL, NULL, NULL, NULL, NULL, NULL, $2, count(*) FROM history
    $query$, parts.relation, target, parts.matches, parts.image) USING after, last, emptied;
END
$_$;

ALTER FUNCTION feed.verify_log(target regclass, after text, keys integer) OWNER TO feed_owner;

--
-- Name: FUNCTION verify_log(target regclass, after text, keys integer); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.verify_log(target regclass, after text, keys integer) IS 'Differences between the log and an attached table. gone: the table lacks the row; back: the row exists although it was logged as deleted; changed: columns differ; hole: versions between logged and found were not logged. The last row reports how far the batch got.';

--
-- Name: verify_rows(regclass, xid8, text[], integer); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.verify_rows(target regclass, since xid8, after text[] DEFAULT NULL::text[], rows integer DEFAULT 1000) RETURNS TABLE(finding text, key text, seq bigint, logged integer, found integer, columns text[], upto text[], read bigint)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'feed', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    SET row_security TO 'off'
    AS $_$
DECLARE
    parts record := feed.fed_columns(target);
    beyond text := 'true';
BEGIN
    IF target IS NULL THEN
        RETURN;
    END IF;
    IF after IS NOT NULL THEN
        SELECT format('(%s) > (%s)', parts.key_columns, string_agg(quote_literal(v), ', ' ORDER BY place)) INTO beyond
        FROM unnest(after) WITH ORDINALITY AS a(v, place);
    END IF;
    RETURN QUERY EXECUTE format($query$
        WITH part AS MATERIALIZED (
            SELECT %1$s AS key, ARRAY[%2$s]::text[] AS place, age(t.xmin) AS age, (to_jsonb(t.*) ->> 'version_number')::integer AS version,
                   row_number() OVER (ORDER BY %3$s) AS number
            FROM %4$s AS t WHERE %5$s ORDER BY %3$s LIMIT $1
        ), unknown AS (
            SELECT p.* FROM part AS p
            WHERE NOT EXISTS (SELECT FROM feed.log AS l WHERE l.relation = %6$L AND l.key = p.key OFFSET 0)
        )
        SELECT 'unlogged', u.key, NULL::bigint, NULL::integer, u.version, NULL::text[], NULL::text[], NULL::bigint
        FROM unknown AS u WHERE u.age < age($2::xid)
        UNION ALL
        SELECT NULL, NULL, NULL, NULL, (SELECT count(*) FROM unknown AS u WHERE u.age >= age($2::xid))::integer, NULL,
               (SELECT p.place FROM part AS p WHERE p.number = $1), (SELECT count(*) FROM part)
    $query$, parts.row_key, parts.key_texts, parts.key_columns, target, beyond, parts.relation)
    USING rows, since;
END
$_$;

ALTER FUNCTION feed.verify_rows(target regclass, since xid8, after text[], rows integer) OWNER TO feed_owner;

--
-- Name: FUNCTION verify_rows(target regclass, since xid8, after text[], rows integer); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.verify_rows(target regclass, since xid8, after text[], rows integer) IS 'Rows of an attached table that are not in the log although they were written by a transaction since the given one. The last row reports how far the batch got.';

--
-- Name: version_opportunity(); Type: FUNCTION; Schema: feed; Owner: feed_owner
--

CREATE FUNCTION feed.version_opportunity() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    changed boolean;
    generated jsonb;
BEGIN
    -- Almost every UPDATE changes one of these columns, and then nothing else has to be checked. They are compared as text,
    -- because an adopted table has its own types. A generated column is computed after this trigger and is null in NEW, so
    -- it proves nothing.
    changed := NEW.phase::pg_catalog.text OPERATOR(pg_catalog.<>) OLD.phase::pg_catalog.text
            OR NEW.position::pg_catalog.text OPERATOR(pg_catalog.<>) OLD.position::pg_catalog.text
            OR NEW.board_id::pg_catalog.text OPERATOR(pg_catalog.<>) OLD.board_id::pg_catalog.text
            OR NEW.title::pg_catalog.text OPERATOR(pg_catalog.<>) OLD.title::pg_catalog.text
            OR NEW.company::pg_catalog.text OPERATOR(pg_catalog.<>) OLD.company::pg_catalog.text
            OR NEW.contact::pg_catalog.text OPERATOR(pg_catalog.<>) OLD.contact::pg_catalog.text
            OR NEW.value::pg_catalog.text OPERATOR(pg_catalog.<>) OLD.value::pg_catalog.text
            OR NEW.owner_id::pg_catalog.text OPERATOR(pg_catalog.<>) OLD.owner_id::pg_catalog.text
            OR NEW.probability::pg_catalog.text OPERATOR(pg_catalog.<>) OLD.probability::pg_catalog.text
            OR NEW.notes::pg_catalog.text OPERATOR(pg_catalog.<>) OLD.notes::pg_catalog.text;
    IF changed IS NOT TRUE THEN
        NEW.version_number := OLD.version_number;
        NEW.last_sync_at := OLD.last_sync_at;
        -- Compare byte by byte, because a type without an equality operator (json) would raise an error. An unchanged row
        -- is still returned, so that the row count and RETURNING are as expected; feed.capture finds no difference and logs
        -- nothing.
        IF NEW OPERATOR(pg_catalog.*=) OLD THEN
            RETURN NEW;
        END IF;
        SELECT pg_catalog.jsonb_object_agg(a.attname, NULL) INTO generated
        FROM pg_catalog.pg_attribute AS a
        WHERE a.attrelid OPERATOR(pg_catalog.=) TG_RELID AND a.attgenerated OPERATOR(pg_catalog.<>) '';
        IF generated IS NOT NULL AND NEW OPERATOR(pg_catalog.*=) pg_catalog.jsonb_populate_record(OLD, generated) THEN
            RETURN NEW;
        END IF;
    END IF;
    NEW.version_number := coalesce(OLD.version_number, 0) OPERATOR(pg_catalog.+) 1;
    NEW.last_sync_at := pg_catalog.clock_timestamp();
    RETURN NEW;
END
$$;

ALTER FUNCTION feed.version_opportunity() OWNER TO feed_owner;

--
-- Name: FUNCTION version_opportunity(); Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON FUNCTION feed.version_opportunity() IS 'Trigger of opportunities: increments version_number by one and sets last_sync_at on each UPDATE that changes something.';

--
-- Name: adopted; Type: TABLE; Schema: feed; Owner: feed_owner
--

CREATE TABLE feed.adopted (
    relation text NOT NULL,
    added jsonb NOT NULL
);

ALTER TABLE feed.adopted OWNER TO feed_owner;

--
-- Name: TABLE adopted; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON TABLE feed.adopted IS 'Tables that existed before boardcast was installed.';

--
-- Name: COLUMN adopted.relation; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.adopted.relation IS 'The table';

--
-- Name: COLUMN adopted.added; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.adopted.added IS 'Columns that the migration added; its downgrade drops them';

--
-- Name: instances; Type: TABLE; Schema: feed; Owner: feed_owner
--

CREATE UNLOGGED TABLE feed.instances (
    instance text NOT NULL,
    service text NOT NULL,
    started timestamp with time zone NOT NULL,
    reported_at timestamp with time zone NOT NULL,
    read_at timestamp with time zone,
    reads bigint NOT NULL,
    cursor text NOT NULL,
    anchor bigint NOT NULL,
    connections integer NOT NULL,
    listens boolean NOT NULL,
    ready boolean NOT NULL,
    tailer_pid integer,
    listener_pid integer,
    client_positions jsonb NOT NULL,
    replica text
);

ALTER TABLE feed.instances OWNER TO feed_owner;

--
-- Name: TABLE instances; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON TABLE feed.instances IS 'The running service instances. Each one renews its row every two seconds and removes it when it stops. See feed.instance_status.';

--
-- Name: COLUMN instances.instance; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instances.instance IS 'Name of the instance, as in /readyz';

--
-- Name: COLUMN instances.service; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instances.service IS 'feed or api. An api instance follows the log too, for /api/events and its cache.';

--
-- Name: COLUMN instances.started; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instances.started IS 'When it started to follow the log';

--
-- Name: COLUMN instances.reported_at; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instances.reported_at IS 'When it last reported. It counts as dead after ten seconds without a report; its row is removed after five minutes.';

--
-- Name: COLUMN instances.read_at; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instances.read_at IS 'When it last read the log to the end; null: not yet';

--
-- Name: COLUMN instances.reads; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instances.reads IS 'How many read passes it has made';

--
-- Name: COLUMN instances.cursor; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instances.cursor IS 'What it had delivered to its clients: everything that this cursor covers';

--
-- Name: COLUMN instances.anchor; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instances.anchor IS 'Newest row of the log that the cursor covers';

--
-- Name: COLUMN instances.connections; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instances.connections IS 'Open streams';

--
-- Name: COLUMN instances.listens; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instances.listens IS 'Whether its LISTEN connection has received its own test notification';

--
-- Name: COLUMN instances.ready; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instances.ready IS 'Whether load balancers should send clients to it';

--
-- Name: COLUMN instances.tailer_pid; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instances.tailer_pid IS 'Backend with which it reads the log; null: none at the moment';

--
-- Name: COLUMN instances.listener_pid; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instances.listener_pid IS 'Backend of its LISTEN connection; null: none at the moment';

--
-- Name: COLUMN instances.client_positions; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instances.client_positions IS 'Cursors that its clients have confirmed, with the number of clients and the seconds before reported_at. See feed.client_positions.';

--
-- Name: COLUMN instances.replica; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instances.replica IS 'used: it reads the log on its replica. Otherwise why it reads on the primary: lagging, away, promoted, foreign. Null: it has no replica or has not checked it yet.';

--
-- Name: client_positions; Type: VIEW; Schema: feed; Owner: feed_owner
--

CREATE VIEW feed.client_positions AS
 SELECT i.instance,
    a.cursor,
    c.anchor,
    a.clients,
    (i.reported_at - make_interval(secs => a.oldest)) AS oldest,
    (i.reported_at - make_interval(secs => a.newest)) AS newest
   FROM ((feed.instances i
     CROSS JOIN LATERAL jsonb_to_recordset(i.client_positions) a(cursor text, clients integer, oldest double precision, newest double precision))
     CROSS JOIN LATERAL feed.parse_cursor(a.cursor) c(feed_id, xmax, xip, anchor, tag));

ALTER VIEW feed.client_positions OWNER TO feed_owner;

--
-- Name: VIEW client_positions; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON VIEW feed.client_positions IS 'Newest cursors that the clients of each instance have confirmed. Clients that confirm none are not included: a WebSocket client that pings without a cursor, or an SSE client until it reconnects.';

--
-- Name: COLUMN client_positions.instance; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.client_positions.instance IS 'Name of the instance, as in /readyz';

--
-- Name: COLUMN client_positions.cursor; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.client_positions.cursor IS 'Its clients have received everything that this cursor covers; see feed.has_seen. If there are very many cursors, neighboring ones are combined into the older one.';

--
-- Name: COLUMN client_positions.anchor; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.client_positions.anchor IS 'Newest row of the log that the cursor covers';

--
-- Name: COLUMN client_positions.clients; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.client_positions.clients IS 'Number of clients at this position: open streams, and users who poll';

--
-- Name: COLUMN client_positions.oldest; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.client_positions.oldest IS 'When the first of them confirmed it';

--
-- Name: COLUMN client_positions.newest; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.client_positions.newest IS 'When the last of them confirmed it';

--
-- Name: delivery_journal; Type: TABLE; Schema: feed; Owner: feed_owner
--

CREATE UNLOGGED TABLE feed.delivery_journal (
    instance text NOT NULL,
    read_at timestamp with time zone NOT NULL,
    delivered_at timestamp with time zone NOT NULL,
    since text NOT NULL,
    cursor text NOT NULL,
    reads integer NOT NULL,
    events integer NOT NULL,
    deliveries bigint NOT NULL,
    clients integer NOT NULL,
    late integer NOT NULL,
    boards jsonb
);

ALTER TABLE feed.delivery_journal OWNER TO feed_owner;

--
-- Name: TABLE delivery_journal; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON TABLE feed.delivery_journal IS 'When each instance delivered what. One row for a read pass that found changes, or for several passes if there are many. Kept for an hour. See feed.explain.';

--
-- Name: COLUMN delivery_journal.instance; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.delivery_journal.instance IS 'Name of the instance, as in /readyz';

--
-- Name: COLUMN delivery_journal.read_at; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.delivery_journal.read_at IS 'When it had read the rows; for several passes, those of the first';

--
-- Name: COLUMN delivery_journal.delivered_at; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.delivery_journal.delivered_at IS 'When it had written to all live clients; for several passes, after the last';

--
-- Name: COLUMN delivery_journal.since; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.delivery_journal.since IS 'What had been delivered before: everything that this cursor covers';

--
-- Name: COLUMN delivery_journal.cursor; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.delivery_journal.cursor IS 'What had been delivered after: everything that this cursor covers';

--
-- Name: COLUMN delivery_journal.reads; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.delivery_journal.reads IS 'Number of read passes that this row summarizes';

--
-- Name: COLUMN delivery_journal.events; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.delivery_journal.events IS 'Number of changes that they found';

--
-- Name: COLUMN delivery_journal.deliveries; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.delivery_journal.deliveries IS 'Number of events written to live clients, counted for each client';

--
-- Name: COLUMN delivery_journal.clients; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.delivery_journal.clients IS 'Open streams at the end, including those that were catching up';

--
-- Name: COLUMN delivery_journal.late; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.delivery_journal.late IS 'Clients that had too much unread data to take more. They get these changes from the log once they have read it.';

--
-- Name: COLUMN delivery_journal.boards; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.delivery_journal.boards IS 'Number of live clients that received something, by board; null: too many boards';

--
-- Name: opportunities; Type: TABLE; Schema: public; Owner: boardcast
--

CREATE TABLE public.opportunities (
    id text DEFAULT (gen_random_uuid())::text NOT NULL,
    notes text,
    phase text DEFAULT ''::text NOT NULL,
    title text DEFAULT ''::text NOT NULL,
    value numeric(14,2),
    company text,
    contact text,
    board_id text DEFAULT 'main'::text NOT NULL,
    currency text DEFAULT 'BRL'::text NOT NULL,
    owner_id text,
    "position" text DEFAULT 'a0'::text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    probability integer,
    last_sync_at timestamp with time zone DEFAULT now() NOT NULL,
    version_number integer DEFAULT 1 NOT NULL,
    last_modified_by text,
    expected_close_date date
);

ALTER TABLE public.opportunities OWNER TO boardcast;

--
-- Name: user_presence; Type: TABLE; Schema: public; Owner: boardcast
--

CREATE UNLOGGED TABLE public.user_presence (
    id text DEFAULT (gen_random_uuid())::text NOT NULL,
    user_id text NOT NULL,
    user_name text NOT NULL,
    opportunity_id text,
    board_id text,
    action text NOT NULL,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    last_activity timestamp with time zone DEFAULT now() NOT NULL,
    connection text NOT NULL,
    instance text NOT NULL,
    base_version integer,
    CONSTRAINT user_presence_action CHECK ((action = ANY (ARRAY['editing'::text, 'viewing'::text]))),
    CONSTRAINT user_presence_edits CHECK (((action = 'viewing'::text) OR (opportunity_id IS NOT NULL))),
    CONSTRAINT user_presence_place CHECK ((num_nonnulls(opportunity_id, board_id) = 1))
);

ALTER TABLE public.user_presence OWNER TO boardcast;

--
-- Name: TABLE user_presence; Type: COMMENT; Schema: public; Owner: boardcast
--

COMMENT ON TABLE public.user_presence IS 'Who is viewing or editing which opportunity, or viewing which board without an open opportunity. Each row is a lease that the service holding the connection renews.';

--
-- Name: editing; Type: VIEW; Schema: feed; Owner: feed_owner
--

CREATE VIEW feed.editing WITH (security_invoker='true') AS
 SELECT p.user_id,
    min(p.user_name) AS user_name,
    p.opportunity_id,
    o.board_id,
    min(p.started_at) AS since,
    min(p.base_version) AS base_version,
    o.version_number AS version,
    bool_or((p.base_version < o.version_number)) AS behind
   FROM (public.user_presence p
     JOIN public.opportunities o ON ((o.id = p.opportunity_id)))
  WHERE (p.action = 'editing'::text)
  GROUP BY p.user_id, p.opportunity_id, o.board_id, o.version_number;

ALTER VIEW feed.editing OWNER TO feed_owner;

--
-- Name: VIEW editing; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON VIEW feed.editing IS 'Who is editing which opportunity, and whether saving would overwrite changes that they have not seen.';

--
-- Name: COLUMN editing.user_id; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.editing.user_id IS 'The user';

--
-- Name: COLUMN editing.user_name; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.editing.user_name IS 'Name of the user';

--
-- Name: COLUMN editing.opportunity_id; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.editing.opportunity_id IS 'The opportunity';

--
-- Name: COLUMN editing.board_id; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.editing.board_id IS 'Board of the opportunity';

--
-- Name: COLUMN editing.since; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.editing.since IS 'When the user started editing';

--
-- Name: COLUMN editing.base_version; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.editing.base_version IS 'Version that the user started from; null if the client does not report it';

--
-- Name: COLUMN editing.version; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.editing.version IS 'Current version';

--
-- Name: COLUMN editing.behind; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.editing.behind IS 'Whether the opportunity was changed since base_version. Saving then fails with status 412. Null if base_version is not known.';

--
-- Name: flags; Type: TABLE; Schema: feed; Owner: feed_owner
--

CREATE TABLE feed.flags (
    flag text NOT NULL,
    scope text NOT NULL,
    user_id text DEFAULT ''::text NOT NULL,
    percentage integer,
    value text NOT NULL,
    always_triggers jsonb,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    set_by text DEFAULT SESSION_USER NOT NULL,
    CONSTRAINT flags_flag CHECK ((flag = ANY (ARRAY['realtime'::text, 'notify'::text, 'capture'::text]))),
    CONSTRAINT flags_percentage CHECK (
CASE
    WHEN (scope = 'percentage'::text) THEN ((percentage IS NOT NULL) AND ((percentage >= 0) AND (percentage <= 100)))
    ELSE (percentage IS NULL)
END),
    CONSTRAINT flags_scope CHECK ((scope = ANY (ARRAY['everybody'::text, 'percentage'::text, 'user'::text]))),
    CONSTRAINT flags_user CHECK (((scope = 'user'::text) = (user_id <> ''::text))),
    CONSTRAINT flags_value CHECK (
CASE
    WHEN (flag = 'realtime'::text) THEN (value = ANY (ARRAY['websocket'::text, 'sse'::text, 'poll'::text, 'off'::text]))
    ELSE ((value = 'off'::text) AND (scope = 'everybody'::text))
END)
);

ALTER TABLE feed.flags OWNER TO feed_owner;

--
-- Name: TABLE flags; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON TABLE feed.flags IS 'Manual settings: which transport users are offered, and the switches that turn NOTIFY and capture off. Without a row, everybody gets websocket and everything is on. The table is attached, so every change of it is logged and reaches every instance in order. Set notify and capture only with feed.set_notify and feed.set_capture.';

--
-- Name: COLUMN flags.flag; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.flags.flag IS 'realtime: the best transport that users are offered; notify: writers do not send NOTIFY; capture: writes are not logged';

--
-- Name: COLUMN flags.scope; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.flags.scope IS 'To whom it applies. user takes precedence over percentage, and percentage over everybody.';

--
-- Name: COLUMN flags.user_id; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.flags.user_id IS 'The user, for scope user; otherwise empty';

--
-- Name: COLUMN flags.percentage; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.flags.percentage IS 'Rollout percentage, for scope percentage: it applies to users whose feed.rollout_bucket is below it';

--
-- Name: COLUMN flags.value; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.flags.value IS 'websocket, sse, poll or off for realtime; always off for notify and capture';

--
-- Name: COLUMN flags.always_triggers; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.flags.always_triggers IS 'For capture: by table, the triggers that were ENABLE ALWAYS and will be again';

--
-- Name: COLUMN flags.at; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.flags.at IS 'When it was set';

--
-- Name: COLUMN flags.set_by; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.flags.set_by IS 'session_user who set it';

--
-- Name: gap_reports; Type: TABLE; Schema: feed; Owner: feed_owner
--

CREATE TABLE feed.gap_reports (
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    instance text NOT NULL,
    user_id text,
    connection text,
    board text NOT NULL,
    cursor text NOT NULL,
    expected_count bigint NOT NULL,
    expected_hash text NOT NULL,
    held_count bigint NOT NULL,
    held_hash text NOT NULL,
    cause text NOT NULL,
    cards text[] NOT NULL
);

ALTER TABLE feed.gap_reports OWNER TO feed_owner;

--
-- Name: TABLE gap_reports; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON TABLE feed.gap_reports IS 'Checkpoints that did not match, as shown by feed.gaps. Kept as long as the log.';

--
-- Name: COLUMN gap_reports.at; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.gap_reports.at IS 'When it was reported';

--
-- Name: COLUMN gap_reports.instance; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.gap_reports.instance IS 'Instance that received the report, named as in /readyz';

--
-- Name: COLUMN gap_reports.user_id; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.gap_reports.user_id IS 'User whose client reported it; null: a service found that the table differs from the log';

--
-- Name: COLUMN gap_reports.connection; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.gap_reports.connection IS 'Stream of the client, as named in its auth_success; null: not reported';

--
-- Name: COLUMN gap_reports.board; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.gap_reports.board IS 'Board of the opportunities';

--
-- Name: COLUMN gap_reports.cursor; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.gap_reports.cursor IS 'Position of the checkpoint';

--
-- Name: COLUMN gap_reports.expected_count; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.gap_reports.expected_count IS 'Number of rows according to the checkpoint; for a report of a service: in the table';

--
-- Name: COLUMN gap_reports.expected_hash; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.gap_reports.expected_hash IS 'Hash of the expected rows; see feed.row_hash';

--
-- Name: COLUMN gap_reports.held_count; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.gap_reports.held_count IS 'Number of rows that the client had; for a report of a service: according to the log';

--
-- Name: COLUMN gap_reports.held_hash; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.gap_reports.held_hash IS 'Hash of the rows that the client had, or of those according to the log';

--
-- Name: COLUMN gap_reports.cause; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.gap_reports.cause IS 'Suspected cause: unlogged, delivery, feed or cursor. feed.gaps explains them.';

--
-- Name: COLUMN gap_reports.cards; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.gap_reports.cards IS 'Opportunities of the board, at most ten, whose version differs from that of their newest row in the log';

--
-- Name: gaps; Type: VIEW; Schema: feed; Owner: feed_owner
--

CREATE VIEW feed.gaps AS
 SELECT at,
    board,
    user_id,
    cause,
        CASE cause
            WHEN 'unlogged'::text THEN 'The table and the log differ: a write bypassed the triggers, or a row of the log is missing'::text
            WHEN 'delivery'::text THEN 'The table and the log agree: the client lost a change, or applied it incorrectly'::text
            WHEN 'feed'::text THEN 'The client is right and the service miscounted: version_number did not increase by one'::text
            WHEN 'cursor'::text THEN 'The client''s cursor is no longer valid for this feed, so the cause cannot be determined'::text
            ELSE NULL::text
        END AS meaning,
    cards,
    expected_count,
    held_count,
    expected_hash,
    held_hash,
    cursor,
    instance,
    connection
   FROM feed.gap_reports g;

ALTER VIEW feed.gaps OWNER TO feed_owner;

--
-- Name: VIEW gaps; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON VIEW feed.gaps IS 'Boards that did not match a checkpoint. Reported by a client (which has reloaded the board since) or by a service that compared the table with the log. No rows means that everything matched.';

--
-- Name: COLUMN gaps.at; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.gaps.at IS 'When it was reported';

--
-- Name: COLUMN gaps.board; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.gaps.board IS 'Board of the opportunities';

--
-- Name: COLUMN gaps.user_id; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.gaps.user_id IS 'User whose client reported it; null: reported by a service';

--
-- Name: COLUMN gaps.cause; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.gaps.cause IS 'Suspected cause: unlogged, delivery, feed or cursor';

--
-- Name: COLUMN gaps.meaning; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.gaps.meaning IS 'Explanation of the cause';

--
-- Name: COLUMN gaps.cards; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.gaps.cards IS 'Opportunities of the board, at most ten, whose version differs from that of their newest row in the log';

--
-- Name: COLUMN gaps.expected_count; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.gaps.expected_count IS 'Number of rows according to the checkpoint; for a report of a service: in the table';

--
-- Name: COLUMN gaps.held_count; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.gaps.held_count IS 'Number of rows that the client had; for a report of a service: according to the log';

--
-- Name: COLUMN gaps.expected_hash; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.gaps.expected_hash IS 'Hash of the expected rows; see feed.row_hash';

--
-- Name: COLUMN gaps.held_hash; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.gaps.held_hash IS 'Hash of the rows that the client had, or of those according to the log';

--
-- Name: COLUMN gaps.cursor; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.gaps.cursor IS 'Position of the checkpoint: feed.checkpoint(board, cursor) returns what it should have been';

--
-- Name: COLUMN gaps.instance; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.gaps.instance IS 'Instance that received the report, named as in /readyz';

--
-- Name: COLUMN gaps.connection; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.gaps.connection IS 'Stream of the client, if it was reported';

--
-- Name: identity; Type: TABLE; Schema: feed; Owner: feed_owner
--

CREATE TABLE feed.identity (
    one boolean DEFAULT true NOT NULL,
    feed_id text NOT NULL,
    system_identifier text NOT NULL,
    timeline text NOT NULL,
    renewed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    reason text NOT NULL,
    floor_seq bigint DEFAULT 0 NOT NULL,
    floor_xid xid8 DEFAULT '0'::xid8 NOT NULL,
    first_partition bigint DEFAULT 1 NOT NULL,
    first_xid xid8 DEFAULT '0'::xid8 NOT NULL,
    CONSTRAINT identity_one CHECK (one)
);

ALTER TABLE feed.identity OWNER TO feed_owner;

--
-- Name: TABLE identity; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON TABLE feed.identity IS 'What the cursors of this feed are checked against. One row.';

--
-- Name: COLUMN identity.one; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.identity.one IS 'Always true: the table has one row';

--
-- Name: COLUMN identity.feed_id; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.identity.feed_id IS 'First part of every cursor';

--
-- Name: COLUMN identity.system_identifier; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.identity.system_identifier IS 'System identifier of the cluster on which the ID was made';

--
-- Name: COLUMN identity.timeline; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.identity.timeline IS 'Timeline on which the ID was made: the first 8 characters of the names of its WAL files';

--
-- Name: COLUMN identity.renewed_at; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.identity.renewed_at IS 'When the ID was made';

--
-- Name: COLUMN identity.reason; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.identity.reason IS 'Why the ID was made: install, another cluster, promotion, capture was off, or the reason given to boardcast reset-feed';

--
-- Name: COLUMN identity.floor_seq; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.identity.floor_seq IS 'The log has been pruned up to this sequence number';

--
-- Name: COLUMN identity.floor_xid; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.identity.floor_xid IS 'Largest transaction ID among the pruned rows';

--
-- Name: COLUMN identity.first_partition; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.identity.first_partition IS 'Partitions before this one were written in another cluster, so their transaction IDs mean nothing here';

--
-- Name: COLUMN identity.first_xid; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.identity.first_xid IS 'Where the transaction IDs of this cluster stood when first_partition was started';

--
-- Name: triggers; Type: VIEW; Schema: feed; Owner: feed_owner
--

CREATE VIEW feed.triggers AS
 WITH ours AS (
         SELECT t_1.tgrelid,
            (t_1.tgname)::text AS name,
            t_1.tgenabled,
            t_1.tgargs,
            p.oid AS function,
            (p.proname)::text AS does
           FROM (pg_trigger t_1
             JOIN pg_proc p ON ((p.oid = t_1.tgfoid)))
          WHERE ((p.pronamespace = ('feed'::regnamespace)::oid) AND (NOT t_1.tgisinternal) AND (t_1.tgparentid = (0)::oid))
        ), attached AS (
         SELECT ours.tgrelid
           FROM ours
          WHERE (ours.does = 'capture'::text)
        UNION
         SELECT c.oid
           FROM pg_class c
          WHERE (c.oid = ANY (ARRAY[(to_regclass('public.opportunities'::text))::oid, (to_regclass('public.boards'::text))::oid, (to_regclass('public.board_members'::text))::oid]))
        ), wanted AS (
         SELECT f.tgrelid,
            w.name,
            w.does
           FROM (attached f
             CROSS JOIN ( VALUES ('feed_capture_insert'::text,'capture'::text), ('feed_capture_update'::text,'capture'::text), ('feed_capture_delete'::text,'capture'::text), ('feed_capture_truncate'::text,'capture'::text), ('feed_guard_key'::text,'guard_key'::text)) w(name, does))
        UNION ALL
         SELECT f.tgrelid,
            'feed_name_author'::text,
            'name_author'::text
           FROM (attached f
             JOIN pg_attribute a ON (((a.attrelid = f.tgrelid) AND (a.attname = 'last_modified_by'::name) AND (NOT a.attisdropped))))
        UNION ALL
         SELECT f.tgrelid,
            'zz_feed_version'::text,
            'version_opportunity'::text
           FROM attached f
          WHERE (f.tgrelid = (to_regclass('public.opportunities'::text))::oid)
        ), known AS (
         SELECT DISTINCT ON (k_1.tgrelid) k_1.tgrelid,
            k_1.key,
            k_1.board,
            k_1.excluded
           FROM ( SELECT o.tgrelid,
                    a.key,
                    a.board,
                    a.excluded,
                    1 AS rank
                   FROM (ours o
                     CROSS JOIN LATERAL feed.trigger_arguments(o.tgargs) a(board, key, excluded))
                  WHERE (o.does = 'capture'::text)
                UNION ALL
                 SELECT to_regclass(('public.'::text || c.name)) AS to_regclass,
                    c.key,
                    c.board,
                    '{}'::text[],
                    2
                   FROM ( VALUES ('opportunities'::text,'{id}'::text[],'board_id'::text), ('boards'::text,'{id}'::text[],'id'::text), ('board_members'::text,'{board_id,user_id}'::text[],'board_id'::text)) c(name, key, board)) k_1
          ORDER BY k_1.tgrelid, k_1.rank
        ), listed AS (
         SELECT (COALESCE(o.tgrelid, w.tgrelid))::regclass AS relation,
            COALESCE(o.name, w.name) AS trigger,
                CASE
                    WHEN ((o.does = 'capture'::text) AND (EXISTS ( SELECT
                       FROM unnest(((a.board || a.key) || a.excluded)) c(name)
                      WHERE ((c.name IS NOT NULL) AND (NOT (EXISTS ( SELECT
                               FROM pg_attribute n
                              WHERE ((n.attrelid = o.tgrelid) AND (n.attname = c.name) AND (NOT n.attisdropped))))))))) THEN 'stale'::text
                    ELSE
                    CASE o.tgenabled
                        WHEN 'O'::"char" THEN 'on'::text
                        WHEN 'A'::"char" THEN 'always'::text
                        WHEN 'D'::"char" THEN 'disabled'::text
                        WHEN 'R'::"char" THEN 'replica'::text
                        ELSE 'missing'::text
                    END
                END AS state,
            COALESCE(o.does, w.does) AS function,
                CASE o.does
                    WHEN 'capture'::text THEN a.key
                    ELSE NULL::text[]
                END AS key,
                CASE o.does
                    WHEN 'capture'::text THEN a.board
                    ELSE NULL::text
                END AS board,
                CASE o.does
                    WHEN 'capture'::text THEN a.excluded
                    ELSE NULL::text[]
                END AS excluded,
            s.calls,
            round((((s.total_time / (NULLIF(s.calls, 0))::double precision) * (1000)::double precision))::numeric, 1) AS us_per_call
           FROM (((ours o
             FULL JOIN wanted w ON (((w.tgrelid = o.tgrelid) AND (w.name = o.name))))
             CROSS JOIN LATERAL feed.trigger_arguments(o.tgargs) a(board, key, excluded))
             LEFT JOIN pg_stat_user_functions s ON ((s.funcid = o.function)))
        )
 SELECT t.relation,
    t.trigger,
    t.state,
    t.function,
    t.key,
    t.board,
    t.excluded,
    t.calls,
    t.us_per_call,
        CASE
            WHEN (t.state = ANY (ARRAY['disabled'::text, 'replica'::text])) THEN format('ALTER TABLE %s ENABLE TRIGGER %I;'::text, t.relation, t.trigger)
            WHEN (t.state = 'stale'::text) THEN format('SELECT feed.attach(%L, ...); -- with the current names of the key and board columns'::text, t.relation)
            WHEN ((t.state = 'missing'::text) AND (t.function = 'version_opportunity'::text)) THEN format('CREATE TRIGGER %I BEFORE UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION feed.version_opportunity();'::text, t.trigger, t.relation)
            WHEN (t.state = 'missing'::text) THEN format('SELECT feed.attach(%L, key => %L%s%s);'::text, t.relation,
            CASE
                WHEN (array_to_string(k.key, ''::text) ~ '[^\w$]'::text) THEN (k.key)::text
                ELSE array_to_string(k.key, ','::text)
            END, (', board => '::text || quote_literal(k.board)),
            CASE
                WHEN (k.excluded <> '{}'::text[]) THEN (', exclude => '::text || quote_literal((k.excluded)::text))
                ELSE NULL::text
            END)
            ELSE NULL::text
        END AS fix
   FROM (listed t
     LEFT JOIN known k ON ((k.tgrelid = (t.relation)::oid)));

ALTER VIEW feed.triggers OWNER TO feed_owner;

--
-- Name: VIEW triggers; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON VIEW feed.triggers IS 'The triggers of the feed on each attached table, including missing ones, and what they cost.';

--
-- Name: COLUMN triggers.relation; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.triggers.relation IS 'The table';

--
-- Name: COLUMN triggers.trigger; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.triggers.trigger IS 'Name of the trigger';

--
-- Name: COLUMN triggers.state; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.triggers.state IS 'on: fires except under session_replication_role = replica; always: fires there too; disabled, replica, missing: writes are not logged; stale: a column named in feed.attach no longer exists, so writes fail';

--
-- Name: COLUMN triggers.function; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.triggers.function IS 'Trigger function, in schema feed';

--
-- Name: COLUMN triggers.key; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.triggers.key IS 'Key columns';

--
-- Name: COLUMN triggers.board; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.triggers.board IS 'Column with the board whose clients receive the change; null: only LISTEN and the log get it';

--
-- Name: COLUMN triggers.excluded; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.triggers.excluded IS 'Columns that are not logged';

--
-- Name: COLUMN triggers.calls; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.triggers.calls IS 'How often the function was called, for all tables together; null unless track_functions is pl or all';

--
-- Name: COLUMN triggers.us_per_call; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.triggers.us_per_call IS 'Average duration of a call in microseconds, including called functions and the insert into the log';

--
-- Name: COLUMN triggers.fix; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.triggers.fix IS 'Command that restores the trigger; null if it is on or always';

--
-- Name: indexes; Type: VIEW; Schema: feed; Owner: feed_owner
--

CREATE VIEW feed.indexes AS
 WITH wanted AS (
         SELECT to_regclass(w.relation) AS relation,
            w.name,
            w.fix
           FROM ( VALUES ('feed.log'::text,'log_pkey'::text,'ALTER TABLE feed.log ADD CONSTRAINT log_pkey PRIMARY KEY (seq, partition_number);'::text), ('feed.log'::text,'log_xid'::text,'CREATE INDEX log_xid ON feed.log (xid, partition_number);'::text), ('feed.log'::text,'log_key'::text,'CREATE INDEX log_key ON feed.log (relation, key, seq);'::text), ('feed.delivery_journal'::text,'delivery_journal_delivered'::text,'CREATE INDEX delivery_journal_delivered ON feed.delivery_journal (delivered_at);'::text), ('public.opportunities'::text,'feed_opportunities_board_id'::text,'CREATE INDEX CONCURRENTLY feed_opportunities_board_id ON opportunities (board_id);'::text), ('public.board_members'::text,'board_members_user_id'::text,'CREATE INDEX board_members_user_id ON board_members (user_id);'::text)) w(relation, name, fix)
        ), there AS (
         SELECT i.indrelid,
            c.oid,
            (c.relname)::text AS name,
            c.relkind,
            i.indisvalid,
            i.indisprimary,
            (i.indisunique AND i.indisvalid AND i.indimmediate AND (i.indpred IS NULL) AND (i.indexprs IS NULL)) AS is_key,
            ARRAY( SELECT (a.attname)::text AS attname
                   FROM (unnest(i.indkey) WITH ORDINALITY k(attnum, place)
                     JOIN pg_attribute a ON (((a.attrelid = i.indrelid) AND (a.attnum = k.attnum))))
                  WHERE (k.place <= i.indnkeyatts)
                  ORDER BY ((a.attname)::text)) AS columns
           FROM ((pg_index i
             JOIN pg_class c ON ((c.oid = i.indexrelid)))
             JOIN pg_class r ON ((r.oid = i.indrelid)))
          WHERE ((r.relnamespace = ('feed'::regnamespace)::oid) OR (r.oid IN ( SELECT w.relation
                   FROM wanted w)) OR (r.oid IN ( SELECT t.relation
                   FROM feed.triggers t
                  WHERE (t.function = 'capture'::text))))
        ), keys AS (
         SELECT DISTINCT t.relation,
            t.key
           FROM feed.triggers t
          WHERE ((t.function = 'capture'::text) AND (t.state <> ALL (ARRAY['missing'::text, 'stale'::text])))
        )
 SELECT w.relation,
    w.name AS index,
        CASE
            WHEN (t.oid IS NULL) THEN 'missing'::text
            WHEN t.indisvalid THEN 'on'::text
            ELSE 'invalid'::text
        END AS state,
        CASE
            WHEN (t.oid IS NULL) THEN w.fix
            WHEN ((NOT t.indisvalid) AND (t.relkind = 'i'::"char")) THEN format('REINDEX INDEX CONCURRENTLY %s;'::text, (t.oid)::regclass)
            WHEN (NOT t.indisvalid) THEN format('DROP INDEX %s; %s'::text, (t.oid)::regclass, w.fix)
            ELSE NULL::text
        END AS fix
   FROM (wanted w
     LEFT JOIN there t ON (((t.indrelid = (w.relation)::oid) AND (t.name = w.name))))
  WHERE (w.relation IS NOT NULL)
UNION ALL
 SELECT (t.indrelid)::regclass AS relation,
    t.name AS index,
        CASE
            WHEN t.indisvalid THEN 'on'::text
            ELSE 'invalid'::text
        END AS state,
        CASE
            WHEN (NOT t.indisvalid) THEN format('REINDEX INDEX CONCURRENTLY %s;'::text, (t.oid)::regclass)
            ELSE NULL::text
        END AS fix
   FROM there t
  WHERE (NOT (EXISTS ( SELECT
           FROM wanted w
          WHERE (((w.relation)::oid = t.indrelid) AND (w.name = t.name)))))
UNION ALL
 SELECT k.relation,
    NULL::text AS index,
    'missing'::text AS state,
    format('ALTER TABLE %s ADD %s (%s);'::text, k.relation,
        CASE
            WHEN (EXISTS ( SELECT
               FROM there t
              WHERE ((t.indrelid = (k.relation)::oid) AND t.indisprimary))) THEN 'UNIQUE'::text
            ELSE 'PRIMARY KEY'::text
        END, ( SELECT string_agg(quote_ident(c.name), ', '::text ORDER BY c.place) AS string_agg
           FROM unnest(k.key) WITH ORDINALITY c(name, place))) AS fix
   FROM keys k
  WHERE (NOT (EXISTS ( SELECT
           FROM there t
          WHERE ((t.indrelid = (k.relation)::oid) AND t.is_key AND (t.columns = ARRAY( SELECT DISTINCT c.c
                   FROM unnest(k.key) c(c)
                  ORDER BY c.c))))));

ALTER VIEW feed.indexes OWNER TO feed_owner;

--
-- Name: VIEW indexes; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON VIEW feed.indexes IS 'The indexes of the log and of the attached tables, including missing ones.';

--
-- Name: COLUMN indexes.relation; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.indexes.relation IS 'The table';

--
-- Name: COLUMN indexes.index; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.indexes.index IS 'Name of the index; null: any index that makes the key of the table unique';

--
-- Name: COLUMN indexes.state; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.indexes.state IS 'on; missing; invalid: its creation failed, so queries do not use it';

--
-- Name: COLUMN indexes.fix; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.indexes.fix IS 'Command that repairs it; null if it is on';

--
-- Name: pacer; Type: TABLE; Schema: feed; Owner: feed_owner
--

CREATE TABLE feed.pacer (
    one boolean DEFAULT true NOT NULL,
    instance text DEFAULT ''::text NOT NULL,
    pid integer,
    until timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    mode text DEFAULT 'direct'::text NOT NULL,
    notifications bigint DEFAULT 0 NOT NULL,
    since timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    muted boolean DEFAULT false NOT NULL,
    CONSTRAINT pacer_one CHECK (one)
);

ALTER TABLE feed.pacer OWNER TO feed_owner;

--
-- Name: TABLE pacer; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON TABLE feed.pacer IS 'The instance that sends NOTIFY in place of the writers while there are many of them. One row, which is a lease.';

--
-- Name: COLUMN pacer.one; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.pacer.one IS 'Always true: the table has one row';

--
-- Name: COLUMN pacer.instance; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.pacer.instance IS 'Instance that holds the lease, named as in /readyz; empty after it was given back';

--
-- Name: COLUMN pacer.pid; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.pacer.pid IS 'Backend process of the holder''s connection';

--
-- Name: COLUMN pacer.until; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.pacer.until IS 'When the lease expires. After that there is no pacer, and every write sends NOTIFY.';

--
-- Name: COLUMN pacer.mode; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.pacer.mode IS 'direct: writers send NOTIFY; coalesced: the pacer sends it; draining: writers send it, and the pacer waits for the transactions that skipped it; muted: nobody sends it';

--
-- Name: COLUMN pacer.notifications; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.pacer.notifications IS 'How many NOTIFYs pacers have sent since the installation';

--
-- Name: COLUMN pacer.since; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.pacer.since IS 'When this mode or this lease began';

--
-- Name: COLUMN pacer.muted; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.pacer.muted IS 'NOTIFY is switched off (feed.set_notify). Stored in this row because feed.notify_suppressed_until is only set under its lock.';

--
-- Name: instance_status; Type: VIEW; Schema: feed; Owner: feed_owner
--

CREATE VIEW feed.instance_status AS
 SELECT i.instance,
    i.service,
    (i.reported_at > (clock_timestamp() - '00:00:10'::interval)) AS alive,
    i.ready,
    i.listens,
    i.connections,
    (p.instance IS NOT NULL) AS pacer,
    i.cursor,
    i.anchor,
    anchor.at AS anchor_at,
    i.reads,
    (i.reported_at - i.read_at) AS since_read,
    (clock_timestamp() - i.reported_at) AS since_report,
    i.started,
    i.tailer_pid,
    concat_ws(' '::text, tailer.state, tailer.wait_event) AS tailer,
    i.listener_pid,
    concat_ws(' '::text, listener.state, listener.wait_event) AS listener,
    i.replica
   FROM ((((feed.instances i
     LEFT JOIN feed.pacer p ON (((p.instance = i.instance) AND (p.until > clock_timestamp()))))
     LEFT JOIN feed.log anchor ON ((anchor.seq = i.anchor)))
     LEFT JOIN pg_stat_activity tailer ON (((tailer.pid = i.tailer_pid) AND (tailer.datname = current_database()))))
     LEFT JOIN pg_stat_activity listener ON (((listener.pid = i.listener_pid) AND (listener.datname = current_database()))));

ALTER VIEW feed.instance_status OWNER TO feed_owner;

--
-- Name: VIEW instance_status; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON VIEW feed.instance_status IS 'The service instances that follow the log: how far each has read, and which backends it uses.';

--
-- Name: COLUMN instance_status.instance; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instance_status.instance IS 'Name of the instance, as in /readyz';

--
-- Name: COLUMN instance_status.service; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instance_status.service IS 'feed or api. An api instance follows the log too, for /api/events and its cache.';

--
-- Name: COLUMN instance_status.alive; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instance_status.alive IS 'Whether it reported within the last ten seconds. If not, it was killed, is stopped, or cannot reach the database. After five minutes its row is removed.';

--
-- Name: COLUMN instance_status.ready; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instance_status.ready IS 'Whether load balancers should send clients to it';

--
-- Name: COLUMN instance_status.listens; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instance_status.listens IS 'Whether its LISTEN connection has received its own test notification';

--
-- Name: COLUMN instance_status.connections; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instance_status.connections IS 'Open streams';

--
-- Name: COLUMN instance_status.pacer; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instance_status.pacer IS 'Whether it holds the pacer''s lease and sends NOTIFY in place of the writers under load; see feed.pacer';

--
-- Name: COLUMN instance_status.cursor; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instance_status.cursor IS 'What it had delivered to its clients; see feed.parse_cursor and feed.has_seen';

--
-- Name: COLUMN instance_status.anchor; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instance_status.anchor IS 'Newest row of the log that the cursor covers';

--
-- Name: COLUMN instance_status.anchor_at; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instance_status.anchor_at IS 'When that row was written. It does not advance while nobody writes; see feed.lag for whether the instance is behind.';

--
-- Name: COLUMN instance_status.reads; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instance_status.reads IS 'How many read passes it has made';

--
-- Name: COLUMN instance_status.since_read; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instance_status.since_read IS 'Time between its last read pass and its last report; normally about a second at most (BOARDCAST_READ_INTERVAL)';

--
-- Name: COLUMN instance_status.since_report; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instance_status.since_report IS 'Time since its last report; normally about two seconds at most';

--
-- Name: COLUMN instance_status.started; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instance_status.started IS 'When it started to follow the log';

--
-- Name: COLUMN instance_status.tailer_pid; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instance_status.tailer_pid IS 'Backend with which it reads the log';

--
-- Name: COLUMN instance_status.tailer; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instance_status.tailer IS 'State of that backend, from pg_stat_activity. Empty: it is gone, or you may not see it (pg_read_all_stats).';

--
-- Name: COLUMN instance_status.listener_pid; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instance_status.listener_pid IS 'Backend of its LISTEN connection';

--
-- Name: COLUMN instance_status.listener; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instance_status.listener IS 'State of that backend. If it stays at active ClientWrite, the instance does not read its notifications, and the NOTIFY queue fills up.';

--
-- Name: COLUMN instance_status.replica; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.instance_status.replica IS 'used: it reads the log on its replica. Otherwise why it reads on the primary: lagging, away, promoted, foreign. Null: it has no replica.';

--
-- Name: lag; Type: VIEW; Schema: feed; Owner: feed_owner
--

CREATE VIEW feed.lag AS
 SELECT i.instance,
    i.service,
    m.alive,
    i.anchor,
    ( SELECT max(l.seq) AS max
           FROM feed.log l) AS newest,
    pending.changes AS behind,
    COALESCE((m.moment - pending.oldest), '00:00:00'::interval) AS delay
   FROM ((((feed.instances i
     CROSS JOIN LATERAL ( SELECT (i.reported_at > (clock_timestamp() - '00:00:10'::interval)) AS alive) a)
     CROSS JOIN LATERAL ( SELECT a.alive,
                CASE
                    WHEN a.alive THEN i.reported_at
                    ELSE clock_timestamp()
                END AS moment) m)
     CROSS JOIN LATERAL feed.parse_cursor(i.cursor) c(feed_id, xmax, xip, anchor, tag))
     CROSS JOIN LATERAL ( SELECT count(*) AS changes,
            min(u.at) AS oldest
           FROM ( SELECT n.at
                   FROM feed.changes_since(c.xmax, c.xip) n(seq, xid, at, partition_number, relation, op, key, board, old, new, version, parents, actor, origin, traceparent, db_user, application, client_addr, pid, notified)
                  WHERE (n.at < m.moment)
                 LIMIT 10001) u) pending);

ALTER VIEW feed.lag OWNER TO feed_owner;

--
-- Name: VIEW lag; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON VIEW feed.lag IS 'How far behind the log each instance was at its last report. An instance that no longer reports: how far it is behind now.';

--
-- Name: COLUMN lag.instance; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.lag.instance IS 'Name of the instance, as in /readyz';

--
-- Name: COLUMN lag.service; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.lag.service IS 'feed or api';

--
-- Name: COLUMN lag.alive; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.lag.alive IS 'Whether it reported within the last ten seconds';

--
-- Name: COLUMN lag.anchor; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.lag.anchor IS 'Newest row of the log that it had delivered';

--
-- Name: COLUMN lag.newest; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.lag.newest IS 'Newest row of the log now';

--
-- Name: COLUMN lag.behind; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.lag.behind IS 'Changes in the log that it had not delivered; 10001 means more than 10000';

--
-- Name: COLUMN lag.delay; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.lag.delay IS 'How long the oldest of them had been waiting since it was written. This includes the time that its transaction took to commit.';

--
-- Name: maintenance; Type: TABLE; Schema: feed; Owner: feed_owner
--

CREATE TABLE feed.maintenance (
    one boolean DEFAULT true NOT NULL,
    retention interval DEFAULT '90 days'::interval NOT NULL,
    rotated_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT maintenance_one CHECK (one)
);

ALTER TABLE feed.maintenance OWNER TO feed_owner;

--
-- Name: TABLE maintenance; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON TABLE feed.maintenance IS 'Retention of the log. One row; feed.maintain() locks it, so that only one session maintains the log at a time.';

--
-- Name: COLUMN maintenance.one; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.maintenance.one IS 'Always true: the table has one row';

--
-- Name: COLUMN maintenance.retention; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.maintenance.retention IS 'Partitions of feed.log older than this are dropped';

--
-- Name: COLUMN maintenance.rotated_at; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.maintenance.rotated_at IS 'When the current partition was started';

--
-- Name: retention; Type: VIEW; Schema: feed; Owner: feed_owner
--

CREATE VIEW feed.retention AS
 SELECT p.partition,
    p.bounds,
    p.first_seq,
    p.first_at,
    p.last_seq,
    p.last_at,
    (clock_timestamp() - p.first_at) AS age,
        CASE
            WHEN (p.first_seq IS NULL) THEN (0)::bigint
            ELSE LEAST(GREATEST(pg_stat_get_live_tuples((p.partition)::oid), (c.reltuples)::bigint, (0)::bigint), ((p.last_seq - p.first_seq) + 1))
        END AS changes,
    pg_total_relation_size(p.partition) AS bytes,
    pg_size_pretty(pg_total_relation_size(p.partition)) AS size
   FROM (feed.log_partitions() p(partition, bounds, first_seq, first_at, last_seq, last_at)
     JOIN pg_class c ON ((c.oid = (p.partition)::oid)));

ALTER VIEW feed.retention OWNER TO feed_owner;

--
-- Name: VIEW retention; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON VIEW feed.retention IS 'What the log contains, by partition. The retention period is in feed.maintenance; how far the log was pruned is in feed.identity.floor_seq.';

--
-- Name: COLUMN retention.partition; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.retention.partition IS 'The partition';

--
-- Name: COLUMN retention.bounds; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.retention.bounds IS 'Partition bounds';

--
-- Name: COLUMN retention.first_seq; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.retention.first_seq IS 'First change; null: none';

--
-- Name: COLUMN retention.first_at; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.retention.first_at IS 'When the first change was written';

--
-- Name: COLUMN retention.last_seq; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.retention.last_seq IS 'Last change';

--
-- Name: COLUMN retention.last_at; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.retention.last_at IS 'When the last change was written';

--
-- Name: COLUMN retention.age; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.retention.age IS 'Age of the first change';

--
-- Name: COLUMN retention.changes; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.retention.changes IS 'Estimated number of rows, from the statistics';

--
-- Name: COLUMN retention.bytes; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.retention.bytes IS 'Size including indexes and TOAST';

--
-- Name: COLUMN retention.size; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.retention.size IS 'The same, human-readable';

--
-- Name: health; Type: VIEW; Schema: feed; Owner: feed_owner
--

CREATE VIEW feed.health AS
 WITH alive AS (
         SELECT instance_status.instance,
            instance_status.service,
            instance_status.alive,
            instance_status.ready,
            instance_status.listens,
            instance_status.connections,
            instance_status.pacer,
            instance_status.cursor,
            instance_status.anchor,
            instance_status.anchor_at,
            instance_status.reads,
            instance_status.since_read,
            instance_status.since_report,
            instance_status.started,
            instance_status.tailer_pid,
            instance_status.tailer,
            instance_status.listener_pid,
            instance_status.listener,
            instance_status.replica
           FROM feed.instance_status
          WHERE instance_status.alive
        ), activity AS (
         SELECT pg_stat_activity.pid,
            pg_stat_activity.xact_start,
            pg_stat_activity.application_name,
            pg_stat_activity.state,
            row_number() OVER (ORDER BY pg_stat_activity.xact_start) AS nth
           FROM pg_stat_activity
          WHERE ((pg_stat_activity.datname = current_database()) AND (pg_stat_activity.pid <> pg_backend_pid()) AND (pg_stat_activity.xact_start < (clock_timestamp() - '00:05:00'::interval)))
        ), blockers AS (
         SELECT pg_stat_activity.pid,
            pg_stat_activity.application_name,
            pg_stat_activity.datname,
            (pg_stat_activity.wait_event = 'ClientWrite'::text) AS stuck,
            COALESCE(pg_stat_activity.xact_start, pg_stat_activity.state_change) AS since,
            row_number() OVER (ORDER BY (pg_stat_activity.wait_event IS DISTINCT FROM 'ClientWrite'::text), COALESCE(pg_stat_activity.xact_start, pg_stat_activity.state_change)) AS nth
           FROM pg_stat_activity
          WHERE ((pg_stat_activity.pid <> pg_backend_pid()) AND (pg_stat_activity.backend_type = 'client backend'::text) AND (COALESCE(pg_stat_activity.xact_start, pg_stat_activity.state_change) < (clock_timestamp() - '00:00:10'::interval)) AND ((pg_stat_activity.wait_event = 'ClientWrite'::text) OR (pg_stat_activity.xact_start IS NOT NULL)))
        ), partitions AS (
         SELECT (e.last_value + n.n) AS partition_number,
            format('feed.log_%s'::text, (e.last_value + n.n)) AS name,
            n.n AS ahead
           FROM (feed.partition_number e
             CROSS JOIN ( VALUES (0), (1)) n(n))
        ), log_tables AS (
         SELECT s.partition_number,
            s.name,
            s.ahead,
            (i.inhrelid IS NOT NULL) AS attached,
            (c.oid IS NOT NULL) AS there
           FROM ((( SELECT partitions.partition_number,
                    partitions.name,
                    partitions.ahead
                   FROM partitions
                UNION
                 SELECT ("substring"((pg_class.relname)::text, '^log_(\d+)$'::text))::bigint AS "substring",
                    format('feed.%I'::text, pg_class.relname) AS format,
                    NULL::integer
                   FROM pg_class
                  WHERE ((pg_class.relnamespace = ('feed'::regnamespace)::oid) AND (pg_class.relkind = 'r'::"char") AND (pg_class.relname ~ '^log_\d+$'::text) AND (NOT pg_class.relispartition) AND (NOT (format('feed.%I'::text, pg_class.relname) IN ( SELECT partitions.name
                           FROM partitions))))
                UNION
                 SELECT NULL::bigint,
                    'feed.log_default'::text,
                    NULL::integer) s
             LEFT JOIN pg_class c ON ((c.oid = (to_regclass(s.name))::oid)))
             LEFT JOIN pg_inherits i ON (((i.inhrelid = c.oid) AND (i.inhparent = ('feed.log'::regclass)::oid))))
        )
 SELECT 1 AS nr,
    'instances'::text AS topic,
        CASE
            WHEN (count(*) FILTER (WHERE instance_status.alive) = 0) THEN 'bad'::text
            WHEN bool_and(instance_status.alive) THEN 'ok'::text
            ELSE 'warning'::text
        END AS status,
    (((count(*) FILTER (WHERE instance_status.alive) || ' alive, '::text) || count(*) FILTER (WHERE (NOT instance_status.alive))) || ' not reporting'::text) AS found,
        CASE
            WHEN (count(*) FILTER (WHERE instance_status.alive) = 0) THEN 'boardcast feed # until then clients receive no changes'::text
            WHEN (NOT bool_and(instance_status.alive)) THEN 'SELECT * FROM feed.instance_status WHERE NOT alive; -- it was killed, is stopped, or cannot reach the database; its row is removed after five minutes'::text
            ELSE NULL::text
        END AS fix
   FROM feed.instance_status
UNION ALL
 SELECT 2 AS nr,
    'listeners'::text AS topic,
        CASE
            WHEN bool_and(alive.listens) THEN 'ok'::text
            WHEN (count(*) = 0) THEN 'unknown'::text
            ELSE 'bad'::text
        END AS status,
    (((count(*) FILTER (WHERE alive.listens) || ' of '::text) || count(*)) || ' receive NOTIFY'::text) AS found,
        CASE
            WHEN (NOT bool_and(alive.listens)) THEN (('boardcast doctor # with the settings of '::text || string_agg(alive.instance, ', '::text) FILTER (WHERE (NOT alive.listens))) || '. Until then changes take up to a second. If it persists, set LISTEN_DATABASE_URL to a direct connection, because LISTEN does not work through a transaction pooler'::text)
            ELSE NULL::text
        END AS fix
   FROM alive
UNION ALL
 SELECT 3 AS nr,
    'log reads'::text AS topic,
        CASE
            WHEN (count(*) = 0) THEN 'unknown'::text
            WHEN (max(alive.since_read) < '00:00:03'::interval) THEN 'ok'::text
            WHEN (max(alive.since_read) < '00:00:10'::interval) THEN 'warning'::text
            ELSE 'bad'::text
        END AS status,
    COALESCE((('the slowest instance last read the log '::text || round(EXTRACT(epoch FROM max(alive.since_read)), 1)) || ' s before its report'::text), 'no instance'::text) AS found,
        CASE
            WHEN (max(alive.since_read) >= '00:00:03'::interval) THEN 'SELECT instance, since_read, tailer FROM feed.instance_status; -- the log should be read at least once a second (BOARDCAST_READ_INTERVAL); check the output of the instance, too'::text
            ELSE NULL::text
        END AS fix
   FROM alive
UNION ALL
 SELECT 4 AS nr,
    'lag'::text AS topic,
        CASE
            WHEN (count(*) = 0) THEN 'unknown'::text
            WHEN (max(lag.delay) < '00:00:02'::interval) THEN 'ok'::text
            WHEN (max(lag.delay) < '00:00:10'::interval) THEN 'warning'::text
            ELSE 'bad'::text
        END AS status,
    COALESCE((((('at most '::text || max(lag.behind)) || ' changes, '::text) || round(EXTRACT(epoch FROM max(lag.delay)), 1)) || ' s'::text), 'no instance'::text) AS found,
        CASE
            WHEN (max(lag.delay) >= '00:00:02'::interval) THEN 'SELECT * FROM feed.lag; -- if it is one instance, restart it. If it is all of them, the database is slow or a transaction is very large'::text
            ELSE NULL::text
        END AS fix
   FROM feed.lag
  WHERE lag.alive
UNION ALL
 SELECT 5 AS nr,
    'notify queue'::text AS topic,
        CASE
            WHEN (q.usage >= (0.5)::double precision) THEN 'bad'::text
            WHEN ((q.usage >= (0.1)::double precision) OR ((q.usage > (0)::double precision) AND p.stuck)) THEN 'warning'::text
            ELSE 'ok'::text
        END AS status,
    ((round(((q.usage)::numeric * (100)::numeric), 1) || '% full'::text) ||
        CASE
            WHEN (q.usage > (0)::double precision) THEN COALESCE((((format('; probably held up by pid %s (%s, database %s), '::text, p.pid, p.application_name, p.datname) ||
            CASE
                WHEN p.stuck THEN 'whose client does not read (ClientWrite)'::text
                ELSE 'which is in a transaction'::text
            END) || ', since '::text) || date_trunc('second'::text, p.since)), ''::text)
            ELSE ''::text
        END) AS found,
        CASE
            WHEN ((q.usage < (0.1)::double precision) AND ((q.usage = (0)::double precision) OR (p.stuck IS NOT TRUE))) THEN NULL::text
            WHEN (p.pid IS NOT NULL) THEN format('SELECT pg_terminate_backend(%s); -- when the queue is full, writes fail'::text, p.pid)
            WHEN pg_has_role('pg_read_all_stats'::name, 'USAGE'::text) THEN 'SELECT pid, application_name, state, query FROM pg_stat_activity WHERE query ~* ''listen''; -- find the session that LISTENs but does not read, and terminate it. When the queue is full, writes fail'::text
            ELSE 'GRANT pg_read_all_stats TO feed_dba; -- to see which session does not read. When the queue is full, writes fail'::text
        END AS fix
   FROM (( SELECT pg_notification_queue_usage() AS usage) q
     LEFT JOIN blockers p ON ((p.nth = 1)))
UNION ALL
 SELECT 6 AS nr,
    'triggers'::text AS topic,
        CASE
            WHEN (off.names IS NULL) THEN 'ok'::text
            ELSE 'bad'::text
        END AS status,
    COALESCE(off.names, (( SELECT count(DISTINCT triggers.relation) AS count
           FROM feed.triggers
          WHERE (triggers.function = 'capture'::text)) || ' tables are attached'::text)) AS found,
        CASE
            WHEN (EXISTS ( SELECT
               FROM feed.flags f
              WHERE (f.flag = 'capture'::text))) THEN 'boardcast flags capture on # capture is switched off'::text
            ELSE (off.fixes || ' -- until then writes are not logged (stale: they fail); afterwards run boardcast verify'::text)
        END AS fix
   FROM ( SELECT string_agg(format('%s on %s is %s'::text, triggers.trigger, triggers.relation, triggers.state), ', '::text ORDER BY (triggers.relation)::text, triggers.trigger) AS names,
            string_agg(DISTINCT triggers.fix, ' '::text) AS fixes
           FROM feed.triggers
          WHERE (triggers.state <> ALL (ARRAY['on'::text, 'always'::text]))) off
UNION ALL
 SELECT 7 AS nr,
    'replication role'::text AS topic,
        CASE
            WHEN (s.roles IS NULL) THEN 'ok'::text
            ELSE 'bad'::text
        END AS status,
    COALESCE(('replica is set for '::text || s.roles), 'not set to replica for any role or database'::text) AS found,
    (s.fixes || ' -- until then their writes are not logged; afterwards run boardcast verify'::text) AS fix
   FROM ( SELECT string_agg((COALESCE(r.rolname, 'all'::name))::text, ', '::text) AS roles,
            string_agg(format('ALTER %s RESET session_replication_role;'::text,
                CASE
                    WHEN (r.oid IS NULL) THEN ('DATABASE '::text || quote_ident((d.datname)::text))
                    ELSE (('ROLE '::text || quote_ident((r.rolname)::text)) || COALESCE((' IN DATABASE '::text || quote_ident((d.datname)::text)), ''::text))
                END), ' '::text) AS fixes
           FROM ((pg_db_role_setting g
             LEFT JOIN pg_roles r ON ((r.oid = g.setrole)))
             LEFT JOIN pg_database d ON ((d.oid = g.setdatabase)))
          WHERE ((g.setdatabase = ANY (ARRAY[(0)::oid, ( SELECT pg_database.oid
                   FROM pg_database
                  WHERE (pg_database.datname = current_database()))])) AND ('session_replication_role=replica'::text = ANY (g.setconfig)))) s
UNION ALL
 SELECT 8 AS nr,
    'transactions'::text AS topic,
        CASE
            WHEN (a.pid IS NOT NULL) THEN 'warning'::text
            WHEN pg_has_role('pg_read_all_stats'::name, 'USAGE'::text) THEN 'ok'::text
            ELSE 'unknown'::text
        END AS status,
        CASE
            WHEN (a.pid IS NOT NULL) THEN (format('pid %s (%s) has been in a transaction since %s, %s'::text, a.pid, a.application_name, date_trunc('second'::text, a.xact_start), a.state) || COALESCE((('; and '::text || NULLIF(( SELECT (count(*) - 1)
               FROM activity), 0)) || ' more'::text), ''::text))
            WHEN pg_has_role('pg_read_all_stats'::name, 'USAGE'::text) THEN 'none is older than 5 minutes'::text
            ELSE 'you do not have the privilege to see those of other roles'::text
        END AS found,
        CASE
            WHEN (a.pid IS NOT NULL) THEN format('SELECT pg_terminate_backend(%s); -- it holds up vacuum and the removal of old partitions, but not the feed; its own changes are delivered when it commits'::text, a.pid)
            WHEN (NOT pg_has_role('pg_read_all_stats'::name, 'USAGE'::text)) THEN 'GRANT pg_read_all_stats TO feed_dba;'::text
            ELSE NULL::text
        END AS fix
   FROM (( SELECT) one
     LEFT JOIN activity a ON ((a.nth = 1)))
UNION ALL
 SELECT 9 AS nr,
    'prepared transactions'::text AS topic,
        CASE
            WHEN (count(*) = 0) THEN 'ok'::text
            ELSE 'warning'::text
        END AS status,
    ((count(*) || ' older than a minute'::text) || COALESCE((': '::text || min(pg_prepared_xacts.gid)), ''::text)) AS found,
        CASE
            WHEN (count(*) > 0) THEN format('ROLLBACK PREPARED %L; -- or COMMIT PREPARED: ask its coordinator. It holds up vacuum until it ends. It changed an attached table only if it skipped NOTIFY'::text, min(pg_prepared_xacts.gid))
            ELSE NULL::text
        END AS fix
   FROM pg_prepared_xacts
  WHERE ((pg_prepared_xacts.database = current_database()) AND (pg_prepared_xacts.prepared < (clock_timestamp() - '00:01:00'::interval)))
UNION ALL
 SELECT 10 AS nr,
    'notify mode'::text AS topic,
        CASE
            WHEN (p.muted OR ((p.mode <> ALL (ARRAY['direct'::text, 'muted'::text])) AND (p.until < (clock_timestamp() - '00:00:10'::interval)))) THEN 'warning'::text
            ELSE 'ok'::text
        END AS status,
        CASE
            WHEN p.muted THEN 'muted: nobody sends NOTIFY, and the log is read once a second'::text
            WHEN ((p.until < clock_timestamp()) OR (p.mode = ANY (ARRAY['direct'::text, 'muted'::text]))) THEN 'every write sends NOTIFY'::text
            ELSE ((p.instance || ' is the pacer, mode '::text) || p.mode)
        END AS found,
        CASE
            WHEN p.muted THEN 'boardcast flags notify on # NOTIFY is switched off'::text
            WHEN ((p.mode <> ALL (ARRAY['direct'::text, 'muted'::text])) AND (p.until < (clock_timestamp() - '00:00:10'::interval))) THEN 'SELECT * FROM feed.pacer; -- the pacer stopped without giving back the lease, and no instance took over: see instances. Until then every write sends NOTIFY, which is slower with many writers'::text
            ELSE NULL::text
        END AS fix
   FROM feed.pacer p
UNION ALL
 SELECT 11 AS nr,
    'history'::text AS topic,
        CASE
            WHEN s.same THEN 'ok'::text
            ELSE 'warning'::text
        END AS status,
    format('feed %s, since %s: %s'::text, i.feed_id, date_trunc('second'::text, i.renewed_at), i.reason) AS found,
        CASE
            WHEN (NOT s.same) THEN 'SELECT feed.identify(); -- the existing cursors were made on another cluster or timeline; the next service that connects does this, too'::text
            ELSE NULL::text
        END AS fix
   FROM (feed.identity i
     CROSS JOIN LATERAL ( SELECT ((i.system_identifier, i.timeline) = ( SELECT (pg_control_system.system_identifier)::text AS system_identifier,
                    "left"(pg_walfile_name(pg_current_wal_lsn()), 8) AS "left"
                   FROM pg_control_system() pg_control_system(pg_control_version, catalog_version_no, system_identifier, pg_control_last_modified))) AS same) s)
UNION ALL
 SELECT 12 AS nr,
    'log'::text AS topic,
        CASE
            WHEN ((sum(retention.bytes))::double precision < ((10)::double precision * ((1024)::double precision ^ (3)::double precision))) THEN 'ok'::text
            ELSE 'warning'::text
        END AS status,
    (format('%s in %s, about %s changes'::text, pg_size_pretty(sum(retention.bytes)), 'feed.log', sum(retention.changes)) || COALESCE((', the oldest from '::text || date_trunc('second'::text, min(retention.first_at))), ''::text)) AS found,
        CASE
            WHEN ((sum(retention.bytes))::double precision >= ((10)::double precision * ((1024)::double precision ^ (3)::double precision))) THEN 'boardcast retain 30d # shorten the retention period, or use a larger disk. boardcast prune --older-than 30d removes old changes now'::text
            ELSE NULL::text
        END AS fix
   FROM feed.retention
UNION ALL
 SELECT 13 AS nr,
    'partitions'::text AS topic,
        CASE
            WHEN bool_or(((p.name = 'feed.log_default'::text) AND (NOT p.attached))) THEN 'bad'::text
            WHEN (bool_and(p.attached) AND (min(extra.first_seq) IS NULL)) THEN 'ok'::text
            ELSE 'warning'::text
        END AS status,
    COALESCE(NULLIF(concat_ws('; '::text, string_agg(format('%s is %s'::text, substr(p.name, 6),
        CASE
            WHEN p.there THEN 'detached'::text
            ELSE 'missing'::text
        END), '; '::text ORDER BY p.name) FILTER (WHERE (NOT p.attached)), ('log_default contains changes, starting at seq '::text || min(extra.first_seq))), ''::text), ('the next partition is ready; retention period '::text || min(k.retention))) AS found,
    NULLIF(concat_ws(' '::text, string_agg(
        CASE
            WHEN ((p.name = 'feed.log_default'::text) AND p.there) THEN 'ALTER TABLE feed.log ATTACH PARTITION feed.log_default DEFAULT;'::text
            WHEN (p.name = 'feed.log_default'::text) THEN 'CREATE TABLE feed.log_default PARTITION OF feed.log DEFAULT; ALTER TABLE feed.log_default OWNER TO feed_owner;'::text
            WHEN p.there THEN format('BEGIN; LOCK feed.log; WITH moved AS (DELETE FROM feed.log_default WHERE partition_number = %s RETURNING *) INSERT INTO %s SELECT * FROM moved; ALTER TABLE feed.log ATTACH PARTITION %2$s FOR VALUES FROM (%1$s) TO (%3$s); COMMIT;'::text, p.partition_number, p.name, (p.partition_number + 1))
            WHEN (p.ahead = 0) THEN 'SELECT feed.rotate_partition(); SELECT feed.maintain();'::text
            WHEN (p.ahead = 1) THEN 'SELECT feed.maintain();'::text
            ELSE NULL::text
        END, ' '::text ORDER BY p.partition_number DESC) FILTER (WHERE (NOT p.attached)),
        CASE
            WHEN bool_or(((p.name = 'feed.log_default'::text) AND (NOT p.attached))) THEN '-- until then writes may fail, because no partition accepts them'::text
            WHEN (NOT bool_and(p.attached)) THEN '-- until then new changes go to log_default'::text
            WHEN (min(extra.first_seq) IS NOT NULL) THEN '-- a partition was dropped by hand. These changes are read like all others, and dropped when they are old enough'::text
            ELSE NULL::text
        END), ''::text) AS fix
   FROM ((log_tables p
     CROSS JOIN feed.maintenance k)
     LEFT JOIN feed.retention extra ON (((extra.partition)::oid = (to_regclass('feed.log_default'::text))::oid)))
UNION ALL
 SELECT 14 AS nr,
    'indexes'::text AS topic,
        CASE
            WHEN (off.names IS NULL) THEN 'ok'::text
            ELSE 'warning'::text
        END AS status,
    COALESCE(off.names, 'all exist and are valid'::text) AS found,
    off.fixes AS fix
   FROM ( SELECT string_agg(
                CASE
                    WHEN (i.index IS NULL) THEN format('no index makes the key of %s unique'::text, i.relation)
                    ELSE format('%s on %s is %s'::text, i.index, i.relation, i.state)
                END, ', '::text ORDER BY (i.relation)::text, i.index) AS names,
            string_agg(i.fix, ' '::text ORDER BY (i.relation)::text, i.index) AS fixes
           FROM feed.indexes i
          WHERE (i.state <> 'on'::text)) off
UNION ALL
 SELECT 15 AS nr,
    'connections'::text AS topic,
        CASE
            WHEN ((c.used)::numeric < (0.8 * (c.maximum)::numeric)) THEN 'ok'::text
            WHEN ((c.used)::numeric < (0.95 * (c.maximum)::numeric)) THEN 'warning'::text
            ELSE 'bad'::text
        END AS status,
    format('%s of %s in use (%s)'::text, c.used, c.maximum, c.bound) AS found,
        CASE
            WHEN ((c.used)::numeric >= (0.8 * (c.maximum)::numeric)) THEN ('SELECT application_name, usename, state, count(*) FROM pg_stat_activity GROUP BY 1, 2, 3 ORDER BY 4 DESC; -- shows who uses them. Use a connection pooler, or '::text || c.more)
            ELSE NULL::text
        END AS fix
   FROM ( SELECT b.used,
            b.bound,
            b.maximum,
            b.more
           FROM ( SELECT (( SELECT sum(pg_stat_database.numbackends) AS sum
                           FROM pg_stat_database))::integer AS used,
                    'max_connections'::text AS bound,
                    (((current_setting('max_connections'::text))::integer - (current_setting('superuser_reserved_connections'::text))::integer) - COALESCE((current_setting('reserved_connections'::text, true))::integer, 0)) AS maximum,
                    format('ALTER SYSTEM SET max_connections = %s and restart the server'::text, (2 * (current_setting('max_connections'::text))::integer)) AS more
                UNION ALL
                 SELECT s.numbackends,
                    'limit of this database'::text,
                    d.datconnlimit,
                    format('ALTER DATABASE %I CONNECTION LIMIT %s'::text, d.datname, ((2 * d.datconnlimit) + 2)) AS format
                   FROM (pg_database d
                     JOIN pg_stat_database s ON ((s.datid = d.oid)))
                  WHERE ((d.datname = current_database()) AND (d.datconnlimit >= 0))
                UNION ALL
                 SELECT (count(*))::integer AS count,
                    format('limit of role %I'::text, r.rolname) AS format,
                    r.rolconnlimit,
                    format('ALTER ROLE %I CONNECTION LIMIT %s'::text, r.rolname, ((2 * r.rolconnlimit) + 2)) AS format
                   FROM (pg_roles r
                     JOIN pg_stat_activity a ON ((a.usesysid = r.oid)))
                  WHERE (r.rolconnlimit > 0)
                  GROUP BY r.rolname, r.rolconnlimit) b
          ORDER BY ((b.used)::double precision / (GREATEST(b.maximum, 1))::double precision) DESC
         LIMIT 1) c
UNION ALL
 SELECT 16 AS nr,
    'transaction ids'::text AS topic,
        CASE
            WHEN (d.spent < 0.25) THEN 'ok'::text
            WHEN (d.spent < 0.75) THEN 'warning'::text
            ELSE 'bad'::text
        END AS status,
    format('%s%% used in database %s'::text, round((d.spent * (100)::numeric)), d.datname) AS found,
        CASE
            WHEN (d.spent >= 0.25) THEN (('VACUUM (FREEZE, VERBOSE); -- in database '::text || quote_ident((d.datname)::text)) || '. At 100% writes fail. If vacuum does not help, see transactions and prepared transactions'::text)
            ELSE NULL::text
        END AS fix
   FROM ( SELECT pg_database.datname,
            (((GREATEST(age(pg_database.datfrozenxid), mxid_age(pg_database.datminmxid)))::double precision / ((2)::double precision ^ (31)::double precision)))::numeric AS spent
           FROM pg_database
          WHERE pg_database.datallowconn
          ORDER BY ((((GREATEST(age(pg_database.datfrozenxid), mxid_age(pg_database.datminmxid)))::double precision / ((2)::double precision ^ (31)::double precision)))::numeric) DESC
         LIMIT 1) d
UNION ALL
 SELECT 17 AS nr,
    'internal tables'::text AS topic,
        CASE
            WHEN ((n.bytes)::double precision < ((256)::double precision * ((1024)::double precision ^ (2)::double precision))) THEN 'ok'::text
            ELSE 'warning'::text
        END AS status,
    format('%s in feed.instances, feed.delivery_journal, feed.tickets and user_presence'::text, pg_size_pretty(n.bytes)) AS found,
        CASE
            WHEN ((n.bytes)::double precision >= ((256)::double precision * ((1024)::double precision ^ (2)::double precision))) THEN 'VACUUM FULL feed.instances, feed.delivery_journal, feed.tickets, user_presence; -- these tables are small unless autovacuum is held up: see transactions'::text
            ELSE NULL::text
        END AS fix
   FROM ( SELECT (sum(pg_total_relation_size(to_regclass(t.name))))::bigint AS bytes
           FROM unnest('{feed.instances,feed.delivery_journal,feed.tickets,public.user_presence}'::text[]) t(name)) n
UNION ALL
 SELECT 18 AS nr,
    'flags'::text AS topic,
        CASE
            WHEN (f.capture IS NOT NULL) THEN 'bad'::text
            WHEN (f.notify IS NOT NULL) THEN 'warning'::text
            ELSE 'ok'::text
        END AS status,
    COALESCE(NULLIF(concat_ws('; '::text, f.capture, f.notify, NULLIF(f.realtime, ''::text)), ''::text), 'none set: websocket for everybody'::text) AS found,
        CASE
            WHEN (f.capture IS NOT NULL) THEN 'boardcast flags capture on # once the reason is gone; until then nothing is logged or delivered'::text
            WHEN (f.notify IS NOT NULL) THEN 'boardcast flags notify on # once the reason is gone; until then changes are delivered up to a second later'::text
            ELSE NULL::text
        END AS fix
   FROM ( SELECT max(format('capture has been off since %s, set by %s'::text, date_trunc('second'::text, flags.at), flags.set_by)) FILTER (WHERE (flags.flag = 'capture'::text)) AS capture,
            max(format('NOTIFY has been off since %s, set by %s'::text, date_trunc('second'::text, flags.at), flags.set_by)) FILTER (WHERE (flags.flag = 'notify'::text)) AS notify,
            concat_ws(', '::text, max((('realtime is '::text || flags.value) || ' for everybody'::text)) FILTER (WHERE ((flags.flag = 'realtime'::text) AND (flags.scope = 'everybody'::text))), max(format('realtime is %s for %s%% of users'::text, flags.value, flags.percentage)) FILTER (WHERE ((flags.flag = 'realtime'::text) AND (flags.scope = 'percentage'::text))), (NULLIF(count(*) FILTER (WHERE ((flags.flag = 'realtime'::text) AND (flags.scope = 'user'::text))), 0) || ' users have their own realtime setting'::text)) AS realtime
           FROM feed.flags) f
UNION ALL
 SELECT 19 AS nr,
    'ownership'::text AS topic,
        CASE
            WHEN (o.first IS NULL) THEN 'ok'::text
            WHEN o.rights THEN 'bad'::text
            ELSE 'warning'::text
        END AS status,
    COALESCE((o.first || COALESCE((('; and '::text || NULLIF(o.others, 0)) || ' more'::text), ''::text)), 'application code runs as feed_sandbox, everything else is owned by feed_owner'::text) AS found,
    (o.fixes ||
        CASE
            WHEN o.rights THEN ' -- until then application code can run with the rights of the function''s owner'::text
            ELSE ' -- until then old partitions cannot be dropped'::text
        END) AS fix
   FROM ( SELECT min(w.found) AS first,
            (count(*) - 1) AS others,
            bool_or(w.rights) AS rights,
            string_agg(w.fix, ' '::text ORDER BY w.fix) AS fixes
           FROM ( SELECT format('%s is owned by %s'::text, (p.oid)::regprocedure, pg_get_userbyid(p.proowner)) AS found,
                    p.prosecdef AS rights,
                    format('ALTER FUNCTION %s OWNER TO %s;'::text, (p.oid)::regprocedure, n.owner) AS fix
                   FROM (pg_proc p
                     CROSS JOIN LATERAL ( SELECT
                                CASE p.proname
                                    WHEN 'row_image'::name THEN 'feed_sandbox'::text
                                    ELSE 'feed_owner'::text
                                END AS owner) n)
                  WHERE ((p.pronamespace = ('feed'::regnamespace)::oid) AND (pg_get_userbyid(p.proowner) <> n.owner))
                UNION ALL
                 SELECT format('%s is owned by %s'::text, (c.oid)::regclass, pg_get_userbyid(c.relowner)) AS format,
                    false,
                    format('ALTER TABLE %s OWNER TO feed_owner;'::text, (c.oid)::regclass) AS format
                   FROM pg_class c
                  WHERE ((c.relnamespace = ('feed'::regnamespace)::oid) AND (c.relkind = ANY (ARRAY['r'::"char", 'p'::"char", 'v'::"char", 'S'::"char"])) AND (pg_get_userbyid(c.relowner) <> 'feed_owner'::name))
                UNION ALL
                 SELECT 'feed.row_image(record) was altered or dropped'::text,
                    true,
                        CASE
                            WHEN (p.oid IS NOT NULL) THEN 'ALTER FUNCTION feed.row_image(record) RESET ALL; ALTER FUNCTION feed.row_image(record) SECURITY DEFINER CALLED ON NULL INPUT STABLE;'::text
                            ELSE '-- recreate it as in db/sql/functions/row_image.sql and db/sql/grants/ownership.sql; until then writes to attached tables fail'::text
                        END AS "case"
                   FROM (( SELECT) one
                     LEFT JOIN pg_proc p ON ((p.oid = (to_regprocedure('feed.row_image(record)'::text))::oid)))
                  WHERE ((p.prosecdef AND (p.provolatile = 's'::"char") AND (NOT p.proisstrict) AND (p.proconfig IS NULL)) IS NOT TRUE)
                UNION ALL
                 SELECT format('role %s can log in or has role attributes'::text, r.rolname) AS format,
                    true,
                    format('ALTER ROLE %s NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;'::text, r.rolname) AS format
                   FROM pg_roles r
                  WHERE ((r.rolname = ANY (ARRAY['feed_owner'::name, 'feed_sandbox'::name])) AND (r.rolcanlogin OR r.rolsuper OR r.rolcreatedb OR r.rolcreaterole OR r.rolreplication OR r.rolbypassrls))
                UNION ALL
                 SELECT format('role %s is a member of %s'::text, r.rolname, (m.roleid)::regrole) AS format,
                    true,
                    format('REVOKE %s FROM %s;'::text, (m.roleid)::regrole, r.rolname) AS format
                   FROM (pg_roles r
                     JOIN pg_auth_members m ON ((m.member = r.oid)))
                  WHERE (r.rolname = ANY (ARRAY['feed_owner'::name, 'feed_sandbox'::name]))) w) o;

ALTER VIEW feed.health OWNER TO feed_owner;

--
-- Name: VIEW health; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON VIEW feed.health IS 'Health checks of the feed, one row per check, with a fix for each problem. For problems only, use WHERE status <> ''ok''. Query it on the primary. boardcast doctor also checks what only a client can see.';

--
-- Name: COLUMN health.nr; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.health.nr IS 'Sort order';

--
-- Name: COLUMN health.topic; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.health.topic IS 'What is checked';

--
-- Name: COLUMN health.status; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.health.status IS 'ok; warning: look at it today; bad: changes are not delivered, or only with a delay; unknown: it could not be checked, see found';

--
-- Name: COLUMN health.found; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.health.found IS 'What the check found';

--
-- Name: COLUMN health.fix; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.health.fix IS 'What to do, ready to paste; null if nothing is wrong';

--
-- Name: log_1; Type: TABLE; Schema: feed; Owner: feed_owner
--

CREATE TABLE feed.log_1 (
    seq bigint DEFAULT NULL CONSTRAINT log_seq_not_null NOT NULL,
    xid xid8 DEFAULT NULL CONSTRAINT log_xid_not_null NOT NULL,
    at timestamp with time zone DEFAULT NULL CONSTRAINT log_at_not_null NOT NULL,
    partition_number bigint DEFAULT NULL CONSTRAINT log_partition_number_not_null NOT NULL,
    relation text CONSTRAINT log_relation_not_null NOT NULL,
    op text CONSTRAINT log_op_not_null NOT NULL,
    key text,
    board text,
    old jsonb,
    new jsonb,
    version integer,
    parents integer[],
    actor text CONSTRAINT log_actor_not_null NOT NULL,
    origin text,
    traceparent text DEFAULT NULL,
    db_user text CONSTRAINT log_db_user_not_null NOT NULL,
    application text,
    client_addr inet,
    pid integer CONSTRAINT log_pid_not_null NOT NULL,
    notified boolean DEFAULT NULL CONSTRAINT log_notified_not_null NOT NULL
)
WITH (autovacuum_freeze_min_age='0', autovacuum_vacuum_insert_scale_factor='0.05');

ALTER TABLE feed.log_1 OWNER TO feed_owner;

--
-- Name: TABLE log_1; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON TABLE feed.log_1 IS 'Partition of feed.log. Dropped when all its rows are older than the retention period.';

--
-- Name: log_2; Type: TABLE; Schema: feed; Owner: feed_owner
--

CREATE TABLE feed.log_2 (
    seq bigint DEFAULT NULL CONSTRAINT log_seq_not_null NOT NULL,
    xid xid8 DEFAULT NULL CONSTRAINT log_xid_not_null NOT NULL,
    at timestamp with time zone DEFAULT NULL CONSTRAINT log_at_not_null NOT NULL,
    partition_number bigint DEFAULT NULL CONSTRAINT log_partition_number_not_null NOT NULL,
    relation text CONSTRAINT log_relation_not_null NOT NULL,
    op text CONSTRAINT log_op_not_null NOT NULL,
    key text,
    board text,
    old jsonb,
    new jsonb,
    version integer,
    parents integer[],
    actor text CONSTRAINT log_actor_not_null NOT NULL,
    origin text,
    traceparent text DEFAULT NULL,
    db_user text CONSTRAINT log_db_user_not_null NOT NULL,
    application text,
    client_addr inet,
    pid integer CONSTRAINT log_pid_not_null NOT NULL,
    notified boolean DEFAULT NULL CONSTRAINT log_notified_not_null NOT NULL
)
WITH (autovacuum_freeze_min_age='0', autovacuum_vacuum_insert_scale_factor='0.05');

ALTER TABLE feed.log_2 OWNER TO feed_owner;

--
-- Name: TABLE log_2; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON TABLE feed.log_2 IS 'Partition of feed.log. Dropped when all its rows are older than the retention period.';

--
-- Name: log_default; Type: TABLE; Schema: feed; Owner: feed_owner
--

CREATE TABLE feed.log_default (
    seq bigint DEFAULT nextval('feed.log_seq'::regclass) CONSTRAINT log_seq_not_null NOT NULL,
    xid xid8 DEFAULT pg_current_xact_id() CONSTRAINT log_xid_not_null NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() CONSTRAINT log_at_not_null NOT NULL,
    partition_number bigint DEFAULT pg_sequence_last_value('feed.partition_number'::regclass) CONSTRAINT log_partition_number_not_null NOT NULL,
    relation text CONSTRAINT log_relation_not_null NOT NULL,
    op text CONSTRAINT log_op_not_null NOT NULL,
    key text,
    board text,
    old jsonb,
    new jsonb,
    version integer,
    parents integer[],
    actor text CONSTRAINT log_actor_not_null NOT NULL,
    origin text,
    traceparent text DEFAULT 
CASE
    WHEN (current_setting('feed.traceparent'::text, true) ~~ '__-________________________________-________________-__'::text) THEN
    CASE
        WHEN ((translate(current_setting('feed.traceparent'::text, true), '0123456789abcdef'::text, ''::text) = '---'::text) AND ("left"(current_setting('feed.traceparent'::text, true), 2) <> 'ff'::text) AND (substr(current_setting('feed.traceparent'::text, true), 4, 32) <> repeat('0'::text, 32)) AND (substr(current_setting('feed.traceparent'::text, true), 37, 16) <> repeat('0'::text, 16))) THEN current_setting('feed.traceparent'::text, true)
        ELSE NULL::text
    END
    ELSE NULL::text
END,
    db_user text CONSTRAINT log_db_user_not_null NOT NULL,
    application text,
    client_addr inet,
    pid integer CONSTRAINT log_pid_not_null NOT NULL,
    notified boolean DEFAULT true CONSTRAINT log_notified_not_null NOT NULL
);

ALTER TABLE feed.log_default OWNER TO feed_owner;

--
-- Name: TABLE log_default; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON TABLE feed.log_default IS 'Rows whose partition is missing. Empty unless somebody dropped or detached a partition by hand.';

--
-- Name: notify_suppressed_until; Type: SEQUENCE; Schema: feed; Owner: feed_owner
--

CREATE UNLOGGED SEQUENCE feed.notify_suppressed_until
    START WITH 0
    INCREMENT BY 1
    MINVALUE 0
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE feed.notify_suppressed_until OWNER TO feed_owner;

--
-- Name: SEQUENCE notify_suppressed_until; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON SEQUENCE feed.notify_suppressed_until IS 'Writers skip NOTIFY until this time (milliseconds since 1970, by clock_timestamp), because the pacer reads the log every few milliseconds and sends NOTIFY for them. 9007199254740991: NOTIFY is switched off.';

--
-- Name: partition_xid; Type: SEQUENCE; Schema: feed; Owner: feed_owner
--

CREATE SEQUENCE feed.partition_xid
    START WITH 0
    INCREMENT BY 1
    MINVALUE 0
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE feed.partition_xid OWNER TO feed_owner;

--
-- Name: SEQUENCE partition_xid; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON SEQUENCE feed.partition_xid IS 'Transactions with this ID or a later one do not write to partitions before feed.partition_number. The largest bigint means that the ID is not known yet, so readers search all partitions.';

--
-- Name: tickets; Type: TABLE; Schema: feed; Owner: feed_owner
--

CREATE UNLOGGED TABLE feed.tickets (
    hash text NOT NULL,
    user_id text NOT NULL,
    name text NOT NULL,
    roles jsonb NOT NULL,
    session_expires timestamp with time zone NOT NULL,
    expires timestamp with time zone NOT NULL
);

ALTER TABLE feed.tickets OWNER TO feed_owner;

--
-- Name: TABLE tickets; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON TABLE feed.tickets IS 'Single-use tickets for EventSource, which cannot send an Authorization header.';

--
-- Name: COLUMN tickets.hash; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.tickets.hash IS 'SHA-256 of the ticket';

--
-- Name: COLUMN tickets.user_id; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.tickets.user_id IS 'User to whom the ticket was issued';

--
-- Name: COLUMN tickets.name; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.tickets.name IS 'Name of the user';

--
-- Name: COLUMN tickets.roles; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.tickets.roles IS 'Roles from the user''s token, such as dba';

--
-- Name: COLUMN tickets.session_expires; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.tickets.session_expires IS 'When the token that was exchanged for the ticket expires';

--
-- Name: COLUMN tickets.expires; Type: COMMENT; Schema: feed; Owner: feed_owner
--

COMMENT ON COLUMN feed.tickets.expires IS 'When the ticket expires';

--
-- Name: alembic_version; Type: TABLE; Schema: public; Owner: boardcast
--

CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);

ALTER TABLE public.alembic_version OWNER TO boardcast;

--
-- Name: board_members; Type: TABLE; Schema: public; Owner: boardcast
--

CREATE TABLE public.board_members (
    board_id text NOT NULL,
    user_id text NOT NULL,
    role text NOT NULL,
    CONSTRAINT board_members_role CHECK ((role = ANY (ARRAY['viewer'::text, 'editor'::text, 'admin'::text])))
);

ALTER TABLE public.board_members OWNER TO boardcast;

--
-- Name: TABLE board_members; Type: COMMENT; Schema: public; Owner: boardcast
--

COMMENT ON TABLE public.board_members IS 'Who may see which board. A change takes effect on open connections at its position in the log.';

--
-- Name: boards; Type: TABLE; Schema: public; Owner: boardcast
--

CREATE TABLE public.boards (
    id text NOT NULL,
    name text NOT NULL,
    phases jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE public.boards OWNER TO boardcast;

--
-- Name: TABLE boards; Type: COMMENT; Schema: public; Owner: boardcast
--

COMMENT ON TABLE public.boards IS 'A sales pipeline.';

--
-- Name: COLUMN boards.phases; Type: COMMENT; Schema: public; Owner: boardcast
--

COMMENT ON COLUMN public.boards.phases IS 'Stages of the board, in order: [{"id": ..., "name": ...}]';

--
-- Name: opportunity_versions; Type: VIEW; Schema: public; Owner: boardcast
--

CREATE VIEW public.opportunity_versions AS
 SELECT (l.seq)::text AS id,
    l.key AS opportunity_id,
    l.version AS version_number,
    l.new AS data,
    l.actor AS created_by,
    l.at AS created_at,
    l.parents
   FROM feed.log l
  WHERE ((l.relation = 'opportunities'::text) AND (l.op = ANY (ARRAY['insert'::text, 'update'::text, 'enter'::text])))
UNION ALL
 SELECT ((l.seq)::text || '-'::text) AS id,
    l.key AS opportunity_id,
    ((l.old ->> 'version_number'::text))::integer AS version_number,
    l.old AS data,
    (l.old ->> 'last_modified_by'::text) AS created_by,
    ((l.old ->> 'last_sync_at'::text))::timestamp with time zone AS created_at,
    NULL::integer[] AS parents
   FROM feed.log l
  WHERE ((l.relation = 'opportunities'::text) AND (l.op = ANY (ARRAY['update'::text, 'leave'::text, 'delete'::text])) AND (NOT (EXISTS ( SELECT
           FROM feed.log earlier
          WHERE ((earlier.relation = 'opportunities'::text) AND (earlier.key = l.key) AND (earlier.seq < l.seq))))));

ALTER VIEW public.opportunity_versions OWNER TO boardcast;

--
-- Name: VIEW opportunity_versions; Type: COMMENT; Schema: public; Owner: boardcast
--

COMMENT ON VIEW public.opportunity_versions IS 'All versions of all opportunities, including deleted ones, read from feed.log. data is the row as of that version.';

--
-- Name: users; Type: TABLE; Schema: public; Owner: boardcast
--

CREATE TABLE public.users (
    id text NOT NULL,
    name text,
    email text
);

ALTER TABLE public.users OWNER TO boardcast;

--
-- Name: log_1; Type: TABLE ATTACH; Schema: feed; Owner: feed_owner
--

ALTER TABLE ONLY feed.log ATTACH PARTITION feed.log_1 FOR VALUES FROM ('1') TO ('2');

--
-- Name: log_2; Type: TABLE ATTACH; Schema: feed; Owner: feed_owner
--

ALTER TABLE ONLY feed.log ATTACH PARTITION feed.log_2 FOR VALUES FROM ('2') TO ('3');

--
-- Name: log_default; Type: TABLE ATTACH; Schema: feed; Owner: feed_owner
--

ALTER TABLE ONLY feed.log ATTACH PARTITION feed.log_default DEFAULT;

--
-- Name: adopted adopted_pkey; Type: CONSTRAINT; Schema: feed; Owner: feed_owner
--

ALTER TABLE ONLY feed.adopted
    ADD CONSTRAINT adopted_pkey PRIMARY KEY (relation);

--
-- Name: attached attached_pkey; Type: CONSTRAINT; Schema: feed; Owner: feed_owner
--

ALTER TABLE ONLY feed.attached
    ADD CONSTRAINT attached_pkey PRIMARY KEY (relation);

--
-- Name: flags flags_pkey; Type: CONSTRAINT; Schema: feed; Owner: feed_owner
--

ALTER TABLE ONLY feed.flags
    ADD CONSTRAINT flags_pkey PRIMARY KEY (flag, scope, user_id);

--
-- Name: identity identity_pkey; Type: CONSTRAINT; Schema: feed; Owner: feed_owner
--

ALTER TABLE ONLY feed.identity
    ADD CONSTRAINT identity_pkey PRIMARY KEY (one);

--
-- Name: instances instances_pkey; Type: CONSTRAINT; Schema: feed; Owner: feed_owner
--

ALTER TABLE ONLY feed.instances
    ADD CONSTRAINT instances_pkey PRIMARY KEY (instance);

--
-- Name: log log_pkey; Type: CONSTRAINT; Schema: feed; Owner: feed_owner
--

ALTER TABLE ONLY feed.log
    ADD CONSTRAINT log_pkey PRIMARY KEY (seq, partition_number);

--
-- Name: log_1 log_1_pkey; Type: CONSTRAINT; Schema: feed; Owner: feed_owner
--

ALTER TABLE ONLY feed.log_1
    ADD CONSTRAINT log_1_pkey PRIMARY KEY (seq, partition_number);

--
-- Name: log_2 log_2_pkey; Type: CONSTRAINT; Schema: feed; Owner: feed_owner
--

ALTER TABLE ONLY feed.log_2
    ADD CONSTRAINT log_2_pkey PRIMARY KEY (seq, partition_number);

--
-- Name: log_default log_default_pkey; Type: CONSTRAINT; Schema: feed; Owner: feed_owner
--

ALTER TABLE ONLY feed.log_default
    ADD CONSTRAINT log_default_pkey PRIMARY KEY (seq, partition_number);

--
-- Name: maintenance maintenance_pkey; Type: CONSTRAINT; Schema: feed; Owner: feed_owner
--

ALTER TABLE ONLY feed.maintenance
    ADD CONSTRAINT maintenance_pkey PRIMARY KEY (one);

--
-- Name: pacer pacer_pkey; Type: CONSTRAINT; Schema: feed; Owner: feed_owner
--

ALTER TABLE ONLY feed.pacer
    ADD CONSTRAINT pacer_pkey PRIMARY KEY (one);

--
-- Name: tickets tickets_pkey; Type: CONSTRAINT; Schema: feed; Owner: feed_owner
--

ALTER TABLE ONLY feed.tickets
    ADD CONSTRAINT tickets_pkey PRIMARY KEY (hash);

--
-- Name: alembic_version alembic_version_pkc; Type: CONSTRAINT; Schema: public; Owner: boardcast
--

ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);

--
-- Name: board_members board_members_pkey; Type: CONSTRAINT; Schema: public; Owner: boardcast
--

ALTER TABLE ONLY public.board_members
    ADD CONSTRAINT board_members_pkey PRIMARY KEY (board_id, user_id);

--
-- Name: boards boards_pkey; Type: CONSTRAINT; Schema: public; Owner: boardcast
--

ALTER TABLE ONLY public.boards
    ADD CONSTRAINT boards_pkey PRIMARY KEY (id);

--
-- Name: opportunities opportunities_pkey; Type: CONSTRAINT; Schema: public; Owner: boardcast
--

ALTER TABLE ONLY public.opportunities
    ADD CONSTRAINT opportunities_pkey PRIMARY KEY (id);

--
-- Name: user_presence user_presence_pkey; Type: CONSTRAINT; Schema: public; Owner: boardcast
--

ALTER TABLE ONLY public.user_presence
    ADD CONSTRAINT user_presence_pkey PRIMARY KEY (id);

--
-- Name: users users_pkey; Type: CONSTRAINT; Schema: public; Owner: boardcast
--

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);

--
-- Name: delivery_journal_delivered; Type: INDEX; Schema: feed; Owner: feed_owner
--

CREATE INDEX delivery_journal_delivered ON feed.delivery_journal USING btree (delivered_at);

--
-- Name: gap_reports_at; Type: INDEX; Schema: feed; Owner: feed_owner
--

CREATE INDEX gap_reports_at ON feed.gap_reports USING btree (at);

--
-- Name: log_key; Type: INDEX; Schema: feed; Owner: feed_owner
--

CREATE INDEX log_key ON ONLY feed.log USING btree (relation, key, seq);

--
-- Name: log_1_relation_key_seq_idx; Type: INDEX; Schema: feed; Owner: feed_owner
--

CREATE INDEX log_1_relation_key_seq_idx ON feed.log_1 USING btree (relation, key, seq);

--
-- Name: log_xid; Type: INDEX; Schema: feed; Owner: feed_owner
--

CREATE INDEX log_xid ON ONLY feed.log USING btree (xid, partition_number);

--
-- Name: log_1_xid_partition_number_idx; Type: INDEX; Schema: feed; Owner: feed_owner
--

CREATE INDEX log_1_xid_partition_number_idx ON feed.log_1 USING btree (xid, partition_number);

--
-- Name: log_2_relation_key_seq_idx; Type: INDEX; Schema: feed; Owner: feed_owner
--

CREATE INDEX log_2_relation_key_seq_idx ON feed.log_2 USING btree (relation, key, seq);

--
-- Name: log_2_xid_partition_number_idx; Type: INDEX; Schema: feed; Owner: feed_owner
--

CREATE INDEX log_2_xid_partition_number_idx ON feed.log_2 USING btree (xid, partition_number);

--
-- Name: log_default_relation_key_seq_idx; Type: INDEX; Schema: feed; Owner: feed_owner
--

CREATE INDEX log_default_relation_key_seq_idx ON feed.log_default USING btree (relation, key, seq);

--
-- Name: log_default_xid_partition_number_idx; Type: INDEX; Schema: feed; Owner: feed_owner
--

CREATE INDEX log_default_xid_partition_number_idx ON feed.log_default USING btree (xid, partition_number);

--
-- Name: board_members_user_id; Type: INDEX; Schema: public; Owner: boardcast
--

CREATE INDEX board_members_user_id ON public.board_members USING btree (user_id);

--
-- Name: feed_opportunities_board_id; Type: INDEX; Schema: public; Owner: boardcast
--

CREATE INDEX feed_opportunities_board_id ON public.opportunities USING btree (board_id);

--
-- Name: user_presence_opportunity_id; Type: INDEX; Schema: public; Owner: boardcast
--

CREATE INDEX user_presence_opportunity_id ON public.user_presence USING btree (opportunity_id);

--
-- Name: user_presence_user_id; Type: INDEX; Schema: public; Owner: boardcast
--

CREATE INDEX user_presence_user_id ON public.user_presence USING btree (user_id);

--
-- Name: log_1_pkey; Type: INDEX ATTACH; Schema: feed; Owner: feed_owner
--

ALTER INDEX feed.log_pkey ATTACH PARTITION feed.log_1_pkey;

--
-- Name: log_1_relation_key_seq_idx; Type: INDEX ATTACH; Schema: feed; Owner: feed_owner
--

ALTER INDEX feed.log_key ATTACH PARTITION feed.log_1_relation_key_seq_idx;

--
-- Name: log_1_xid_partition_number_idx; Type: INDEX ATTACH; Schema: feed; Owner: feed_owner
--

ALTER INDEX feed.log_xid ATTACH PARTITION feed.log_1_xid_partition_number_idx;

--
-- Name: log_2_pkey; Type: INDEX ATTACH; Schema: feed; Owner: feed_owner
--

ALTER INDEX feed.log_pkey ATTACH PARTITION feed.log_2_pkey;

--
-- Name: log_2_relation_key_seq_idx; Type: INDEX ATTACH; Schema: feed; Owner: feed_owner
--

ALTER INDEX feed.log_key ATTACH PARTITION feed.log_2_relation_key_seq_idx;

--
-- Name: log_2_xid_partition_number_idx; Type: INDEX ATTACH; Schema: feed; Owner: feed_owner
--

ALTER INDEX feed.log_xid ATTACH PARTITION feed.log_2_xid_partition_number_idx;

--
-- Name: log_default_pkey; Type: INDEX ATTACH; Schema: feed; Owner: feed_owner
--

ALTER INDEX feed.log_pkey ATTACH PARTITION feed.log_default_pkey;

--
-- Name: log_default_relation_key_seq_idx; Type: INDEX ATTACH; Schema: feed; Owner: feed_owner
--

ALTER INDEX feed.log_key ATTACH PARTITION feed.log_default_relation_key_seq_idx;

--
-- Name: log_default_xid_partition_number_idx; Type: INDEX ATTACH; Schema: feed; Owner: feed_owner
--

ALTER INDEX feed.log_xid ATTACH PARTITION feed.log_default_xid_partition_number_idx;

--
-- Name: flags feed_capture_delete; Type: TRIGGER; Schema: feed; Owner: feed_owner
--

CREATE TRIGGER feed_capture_delete AFTER DELETE ON feed.flags REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION feed.capture('', 'flag', 'scope', 'user_id');

--
-- Name: flags feed_capture_insert; Type: TRIGGER; Schema: feed; Owner: feed_owner
--

CREATE TRIGGER feed_capture_insert AFTER INSERT ON feed.flags REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION feed.capture('', 'flag', 'scope', 'user_id');

--
-- Name: flags feed_capture_truncate; Type: TRIGGER; Schema: feed; Owner: feed_owner
--

CREATE TRIGGER feed_capture_truncate AFTER TRUNCATE ON feed.flags FOR EACH STATEMENT EXECUTE FUNCTION feed.capture('', 'flag', 'scope', 'user_id');

--
-- Name: flags feed_capture_update; Type: TRIGGER; Schema: feed; Owner: feed_owner
--

CREATE TRIGGER feed_capture_update AFTER UPDATE ON feed.flags REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION feed.capture('', 'flag', 'scope', 'user_id');

--
-- Name: flags feed_guard_key; Type: TRIGGER; Schema: feed; Owner: feed_owner
--

CREATE TRIGGER feed_guard_key BEFORE UPDATE OF flag, scope, user_id ON feed.flags FOR EACH ROW WHEN (((old.flag IS DISTINCT FROM new.flag) OR (old.scope IS DISTINCT FROM new.scope) OR (old.user_id IS DISTINCT FROM new.user_id))) EXECUTE FUNCTION feed.guard_key();

--
-- Name: board_members feed_capture_delete; Type: TRIGGER; Schema: public; Owner: boardcast
--

CREATE TRIGGER feed_capture_delete AFTER DELETE ON public.board_members REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION feed.capture('board_id', 'board_id', 'user_id');

--
-- Name: boards feed_capture_delete; Type: TRIGGER; Schema: public; Owner: boardcast
--

CREATE TRIGGER feed_capture_delete AFTER DELETE ON public.boards REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION feed.capture('id', 'id');

--
-- Name: opportunities feed_capture_delete; Type: TRIGGER; Schema: public; Owner: boardcast
--

CREATE TRIGGER feed_capture_delete AFTER DELETE ON public.opportunities REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION feed.capture('board_id', 'id');

--
-- Name: board_members feed_capture_insert; Type: TRIGGER; Schema: public; Owner: boardcast
--

CREATE TRIGGER feed_capture_insert AFTER INSERT ON public.board_members REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION feed.capture('board_id', 'board_id', 'user_id');

--
-- Name: boards feed_capture_insert; Type: TRIGGER; Schema: public; Owner: boardcast
--

CREATE TRIGGER feed_capture_insert AFTER INSERT ON public.boards REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION feed.capture('id', 'id');

--
-- Name: opportunities feed_capture_insert; Type: TRIGGER; Schema: public; Owner: boardcast
--

CREATE TRIGGER feed_capture_insert AFTER INSERT ON public.opportunities REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION feed.capture('board_id', 'id');

--
-- Name: board_members feed_capture_truncate; Type: TRIGGER; Schema: public; Owner: boardcast
--

CREATE TRIGGER feed_capture_truncate AFTER TRUNCATE ON public.board_members FOR EACH STATEMENT EXECUTE FUNCTION feed.capture('board_id', 'board_id', 'user_id');

--
-- Name: boards feed_capture_truncate; Type: TRIGGER; Schema: public; Owner: boardcast
--

CREATE TRIGGER feed_capture_truncate AFTER TRUNCATE ON public.boards FOR EACH STATEMENT EXECUTE FUNCTION feed.capture('id', 'id');

--
-- Name: opportunities feed_capture_truncate; Type: TRIGGER; Schema: public; Owner: boardcast
--

CREATE TRIGGER feed_capture_truncate AFTER TRUNCATE ON public.opportunities FOR EACH STATEMENT EXECUTE FUNCTION feed.capture('board_id', 'id');

--
-- Name: board_members feed_capture_update; Type: TRIGGER; Schema: public; Owner: boardcast
--

CREATE TRIGGER feed_capture_update AFTER UPDATE ON public.board_members REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION feed.capture('board_id', 'board_id', 'user_id');

--
-- Name: boards feed_capture_update; Type: TRIGGER; Schema: public; Owner: boardcast
--

CREATE TRIGGER feed_capture_update AFTER UPDATE ON public.boards REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION feed.capture('id', 'id');

--
-- Name: opportunities feed_capture_update; Type: TRIGGER; Schema: public; Owner: boardcast
--

CREATE TRIGGER feed_capture_update AFTER UPDATE ON public.opportunities REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION feed.capture('board_id', 'id');

--
-- Name: board_members feed_guard_key; Type: TRIGGER; Schema: public; Owner: boardcast
--

CREATE TRIGGER feed_guard_key BEFORE UPDATE OF board_id, user_id ON public.board_members FOR EACH ROW WHEN (((old.board_id IS DISTINCT FROM new.board_id) OR (old.user_id IS DISTINCT FROM new.user_id))) EXECUTE FUNCTION feed.guard_key();

--
-- Name: boards feed_guard_key; Type: TRIGGER; Schema: public; Owner: boardcast
--

CREATE TRIGGER feed_guard_key BEFORE UPDATE OF id ON public.boards FOR EACH ROW WHEN ((old.id IS DISTINCT FROM new.id)) EXECUTE FUNCTION feed.guard_key();

--
-- Name: opportunities feed_guard_key; Type: TRIGGER; Schema: public; Owner: boardcast
--

CREATE TRIGGER feed_guard_key BEFORE UPDATE OF id ON public.opportunities FOR EACH ROW WHEN ((old.id IS DISTINCT FROM new.id)) EXECUTE FUNCTION feed.guard_key();

--
-- Name: opportunities feed_name_author; Type: TRIGGER; Schema: public; Owner: boardcast
--

CREATE TRIGGER feed_name_author BEFORE UPDATE OF last_modified_by ON public.opportunities FOR EACH STATEMENT EXECUTE FUNCTION feed.name_author();

--
-- Name: user_presence feed_presence; Type: TRIGGER; Schema: public; Owner: boardcast
--

CREATE TRIGGER feed_presence AFTER INSERT OR DELETE ON public.user_presence FOR EACH ROW EXECUTE FUNCTION feed.notify_presence();

--
-- Name: user_presence feed_presence_changed; Type: TRIGGER; Schema: public; Owner: boardcast
--

CREATE TRIGGER feed_presence_changed AFTER UPDATE ON public.user_presence FOR EACH ROW WHEN (((old.action IS DISTINCT FROM new.action) OR (old.base_version IS DISTINCT FROM new.base_version))) EXECUTE FUNCTION feed.notify_presence();

--
-- Name: opportunities zz_feed_version; Type: TRIGGER; Schema: public; Owner: boardcast
--

CREATE TRIGGER zz_feed_version BEFORE UPDATE ON public.opportunities FOR EACH ROW EXECUTE FUNCTION feed.version_opportunity();

--
-- Name: board_members board_members_board_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: boardcast
--

ALTER TABLE ONLY public.board_members
    ADD CONSTRAINT board_members_board_id_fkey FOREIGN KEY (board_id) REFERENCES public.boards(id) ON DELETE CASCADE;

--
-- Name: board_members board_members_user_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: boardcast
--

ALTER TABLE ONLY public.board_members
    ADD CONSTRAINT board_members_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

--
-- Name: opportunities opportunities_board_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: boardcast
--

ALTER TABLE ONLY public.opportunities
    ADD CONSTRAINT opportunities_board_id_fkey FOREIGN KEY (board_id) REFERENCES public.boards(id) ON DELETE CASCADE;

--
-- Name: SCHEMA feed; Type: ACL; Schema: -; Owner: feed_owner
--

GRANT USAGE ON SCHEMA feed TO feed_app;
GRANT USAGE ON SCHEMA feed TO feed_listener;
GRANT USAGE ON SCHEMA feed TO feed_dba;

--
-- Name: FUNCTION attach(target regclass, key text, board text, exclude text[]); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.attach(target regclass, key text, board text, exclude text[]) FROM PUBLIC;

--
-- Name: FUNCTION capture(); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.capture() FROM PUBLIC;

--
-- Name: FUNCTION changes(before jsonb, after jsonb); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.changes(before jsonb, after jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.changes(before jsonb, after jsonb) TO feed_app;
GRANT ALL ON FUNCTION feed.changes(before jsonb, after jsonb) TO feed_listener;
GRANT ALL ON FUNCTION feed.changes(before jsonb, after jsonb) TO feed_dba;

--
-- Name: SEQUENCE partition_number; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT ON SEQUENCE feed.partition_number TO feed_app;
GRANT SELECT ON SEQUENCE feed.partition_number TO feed_listener;
GRANT SELECT ON SEQUENCE feed.partition_number TO feed_dba;

--
-- Name: TABLE log; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT ON TABLE feed.log TO feed_app;
GRANT SELECT ON TABLE feed.log TO feed_dba;
GRANT SELECT ON TABLE feed.log TO feed_listener;
GRANT SELECT ON TABLE feed.log TO boardcast;

--
-- Name: FUNCTION changes_since(since_xmax xid8, since_xip xid8[], until_xmax xid8, until_xip xid8[]); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.changes_since(since_xmax xid8, since_xip xid8[], until_xmax xid8, until_xip xid8[]) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.changes_since(since_xmax xid8, since_xip xid8[], until_xmax xid8, until_xip xid8[]) TO feed_app;
GRANT ALL ON FUNCTION feed.changes_since(since_xmax xid8, since_xip xid8[], until_xmax xid8, until_xip xid8[]) TO feed_listener;
GRANT ALL ON FUNCTION feed.changes_since(since_xmax xid8, since_xip xid8[], until_xmax xid8, until_xip xid8[]) TO feed_dba;

--
-- Name: FUNCTION check_key(target regclass, key_columns text[]); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.check_key(target regclass, key_columns text[]) FROM PUBLIC;

--
-- Name: FUNCTION check_table(target regclass); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.check_table(target regclass) FROM PUBLIC;

--
-- Name: FUNCTION checkpoint(board text, cursor text, OUT count bigint, OUT hash text); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.checkpoint(board text, cursor text, OUT count bigint, OUT hash text) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.checkpoint(board text, cursor text, OUT count bigint, OUT hash text) TO feed_app;
GRANT ALL ON FUNCTION feed.checkpoint(board text, cursor text, OUT count bigint, OUT hash text) TO feed_dba;

--
-- Name: FUNCTION checkpoint_seen(board text, cursor text, OUT count bigint, OUT hash text); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.checkpoint_seen(board text, cursor text, OUT count bigint, OUT hash text) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.checkpoint_seen(board text, cursor text, OUT count bigint, OUT hash text) TO feed_app;
GRANT ALL ON FUNCTION feed.checkpoint_seen(board text, cursor text, OUT count bigint, OUT hash text) TO feed_listener;
GRANT ALL ON FUNCTION feed.checkpoint_seen(board text, cursor text, OUT count bigint, OUT hash text) TO feed_dba;

--
-- Name: FUNCTION current_partition(); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.current_partition() FROM PUBLIC;
GRANT ALL ON FUNCTION feed.current_partition() TO feed_app;
GRANT ALL ON FUNCTION feed.current_partition() TO feed_listener;
GRANT ALL ON FUNCTION feed.current_partition() TO feed_dba;

--
-- Name: FUNCTION cursor_fault(cursor text); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.cursor_fault(cursor text) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.cursor_fault(cursor text) TO feed_app;
GRANT ALL ON FUNCTION feed.cursor_fault(cursor text) TO feed_listener;
GRANT ALL ON FUNCTION feed.cursor_fault(cursor text) TO feed_dba;

--
-- Name: FUNCTION detach(target regclass); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.detach(target regclass) FROM PUBLIC;

--
-- Name: FUNCTION display_value(value jsonb); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.display_value(value jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.display_value(value jsonb) TO feed_app;
GRANT ALL ON FUNCTION feed.display_value(value jsonb) TO feed_dba;

--
-- Name: FUNCTION exclude_columns(target regclass, data jsonb, columns text[]); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.exclude_columns(target regclass, data jsonb, columns text[]) FROM PUBLIC;

--
-- Name: FUNCTION explain(seq bigint); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.explain(seq bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.explain(seq bigint) TO feed_app;
GRANT ALL ON FUNCTION feed.explain(seq bigint) TO feed_dba;

--
-- Name: FUNCTION explain_cursor(cursor text); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.explain_cursor(cursor text) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.explain_cursor(cursor text) TO feed_app;
GRANT ALL ON FUNCTION feed.explain_cursor(cursor text) TO feed_dba;

--
-- Name: FUNCTION fed_columns(target regclass, OUT relation text, OUT board text, OUT row_key text, OUT matches text, OUT key_columns text, OUT key_texts text, OUT image text); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.fed_columns(target regclass, OUT relation text, OUT board text, OUT row_key text, OUT matches text, OUT key_columns text, OUT key_texts text, OUT image text) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.fed_columns(target regclass, OUT relation text, OUT board text, OUT row_key text, OUT matches text, OUT key_columns text, OUT key_texts text, OUT image text) TO feed_app;
GRANT ALL ON FUNCTION feed.fed_columns(target regclass, OUT relation text, OUT board text, OUT row_key text, OUT matches text, OUT key_columns text, OUT key_texts text, OUT image text) TO feed_dba;

--
-- Name: FUNCTION first_partition_since(first xid8); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.first_partition_since(first xid8) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.first_partition_since(first xid8) TO feed_app;
GRANT ALL ON FUNCTION feed.first_partition_since(first xid8) TO feed_listener;
GRANT ALL ON FUNCTION feed.first_partition_since(first xid8) TO feed_dba;

--
-- Name: FUNCTION guard_key(); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.guard_key() FROM PUBLIC;

--
-- Name: FUNCTION has_seen(cursor text, xid xid8); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.has_seen(cursor text, xid xid8) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.has_seen(cursor text, xid xid8) TO feed_app;
GRANT ALL ON FUNCTION feed.has_seen(cursor text, xid xid8) TO feed_dba;

--
-- Name: FUNCTION relation_name(relation oid); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.relation_name(relation oid) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.relation_name(relation oid) TO feed_app;
GRANT ALL ON FUNCTION feed.relation_name(relation oid) TO feed_listener;
GRANT ALL ON FUNCTION feed.relation_name(relation oid) TO feed_dba;

--
-- Name: TABLE trigger_log; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT ON TABLE feed.trigger_log TO feed_app;
GRANT SELECT ON TABLE feed.trigger_log TO feed_dba;

--
-- Name: FUNCTION history(opportunity text, relation text); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.history(opportunity text, relation text) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.history(opportunity text, relation text) TO feed_app;
GRANT ALL ON FUNCTION feed.history(opportunity text, relation text) TO feed_dba;

--
-- Name: FUNCTION identify(); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.identify() FROM PUBLIC;
GRANT ALL ON FUNCTION feed.identify() TO feed_app;
GRANT ALL ON FUNCTION feed.identify() TO feed_listener;
GRANT ALL ON FUNCTION feed.identify() TO feed_dba;

--
-- Name: FUNCTION log_partitions(OUT partition regclass, OUT bounds text, OUT first_seq bigint, OUT first_at timestamp with time zone, OUT last_seq bigint, OUT last_at timestamp with time zone); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.log_partitions(OUT partition regclass, OUT bounds text, OUT first_seq bigint, OUT first_at timestamp with time zone, OUT last_seq bigint, OUT last_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.log_partitions(OUT partition regclass, OUT bounds text, OUT first_seq bigint, OUT first_at timestamp with time zone, OUT last_seq bigint, OUT last_at timestamp with time zone) TO feed_app;
GRANT ALL ON FUNCTION feed.log_partitions(OUT partition regclass, OUT bounds text, OUT first_seq bigint, OUT first_at timestamp with time zone, OUT last_seq bigint, OUT last_at timestamp with time zone) TO feed_dba;

--
-- Name: FUNCTION maintain(); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.maintain() FROM PUBLIC;
GRANT ALL ON FUNCTION feed.maintain() TO feed_app;
GRANT ALL ON FUNCTION feed.maintain() TO feed_listener;

--
-- Name: FUNCTION make_partition(number bigint); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.make_partition(number bigint) FROM PUBLIC;

--
-- Name: FUNCTION missing_column(target regclass, data jsonb, columns text[]); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.missing_column(target regclass, data jsonb, columns text[]) FROM PUBLIC;

--
-- Name: FUNCTION name_author(); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.name_author() FROM PUBLIC;

--
-- Name: FUNCTION new_id(); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.new_id() FROM PUBLIC;

--
-- Name: FUNCTION normalize_image(target regclass, image jsonb); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.normalize_image(target regclass, image jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.normalize_image(target regclass, image jsonb) TO feed_app;
GRANT ALL ON FUNCTION feed.normalize_image(target regclass, image jsonb) TO feed_dba;

--
-- Name: FUNCTION notify(seq bigint, relation text, op text); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.notify(seq bigint, relation text, op text) FROM PUBLIC;

--
-- Name: FUNCTION notify_presence(); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.notify_presence() FROM PUBLIC;

--
-- Name: FUNCTION parse_cursor(cursor text, OUT feed_id text, OUT xmax xid8, OUT xip xid8[], OUT anchor bigint, OUT tag text); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.parse_cursor(cursor text, OUT feed_id text, OUT xmax xid8, OUT xip xid8[], OUT anchor bigint, OUT tag text) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.parse_cursor(cursor text, OUT feed_id text, OUT xmax xid8, OUT xip xid8[], OUT anchor bigint, OUT tag text) TO feed_app;
GRANT ALL ON FUNCTION feed.parse_cursor(cursor text, OUT feed_id text, OUT xmax xid8, OUT xip xid8[], OUT anchor bigint, OUT tag text) TO feed_listener;
GRANT ALL ON FUNCTION feed.parse_cursor(cursor text, OUT feed_id text, OUT xmax xid8, OUT xip xid8[], OUT anchor bigint, OUT tag text) TO feed_dba;

--
-- Name: TABLE attached; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT ON TABLE feed.attached TO feed_app;
GRANT SELECT ON TABLE feed.attached TO feed_dba;
GRANT SELECT ON TABLE feed.attached TO feed_listener;

--
-- Name: FUNCTION plain_relations(); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.plain_relations() FROM PUBLIC;
GRANT ALL ON FUNCTION feed.plain_relations() TO feed_app;
GRANT ALL ON FUNCTION feed.plain_relations() TO feed_listener;
GRANT ALL ON FUNCTION feed.plain_relations() TO feed_dba;

--
-- Name: FUNCTION prune(before timestamp with time zone, OUT partition text, OUT forgotten bigint); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.prune(before timestamp with time zone, OUT partition text, OUT forgotten bigint) FROM PUBLIC;

--
-- Name: FUNCTION realtime(user_id text); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.realtime(user_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.realtime(user_id text) TO feed_app;
GRANT ALL ON FUNCTION feed.realtime(user_id text) TO feed_dba;

--
-- Name: FUNCTION repair(target regclass, keys text[]); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.repair(target regclass, keys text[]) FROM PUBLIC;

--
-- Name: FUNCTION report_gap(instance text, user_id text, connection text, board text, cursor text, expected_count bigint, expected_hash text, held_count bigint, held_hash text); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.report_gap(instance text, user_id text, connection text, board text, cursor text, expected_count bigint, expected_hash text, held_count bigint, held_hash text) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.report_gap(instance text, user_id text, connection text, board text, cursor text, expected_count bigint, expected_hash text, held_count bigint, held_hash text) TO feed_app;
GRANT ALL ON FUNCTION feed.report_gap(instance text, user_id text, connection text, board text, cursor text, expected_count bigint, expected_hash text, held_count bigint, held_hash text) TO feed_listener;

--
-- Name: FUNCTION reset_feed(why text); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.reset_feed(why text) FROM PUBLIC;

--
-- Name: FUNCTION rollout_bucket(user_id text); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.rollout_bucket(user_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.rollout_bucket(user_id text) TO feed_app;
GRANT ALL ON FUNCTION feed.rollout_bucket(user_id text) TO feed_dba;

--
-- Name: FUNCTION rotate_partition(); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.rotate_partition() FROM PUBLIC;

--
-- Name: FUNCTION row_hash(id text, version integer); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.row_hash(id text, version integer) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.row_hash(id text, version integer) TO feed_app;
GRANT ALL ON FUNCTION feed.row_hash(id text, version integer) TO feed_listener;
GRANT ALL ON FUNCTION feed.row_hash(id text, version integer) TO feed_dba;

--
-- Name: FUNCTION row_image(row_data record); Type: ACL; Schema: feed; Owner: feed_sandbox
--

REVOKE ALL ON FUNCTION feed.row_image(row_data record) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.row_image(row_data record) TO feed_owner;

--
-- Name: FUNCTION row_key(row_data jsonb, key_columns text[]); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.row_key(row_data jsonb, key_columns text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.row_key(row_data jsonb, key_columns text[]) TO feed_app;
GRANT ALL ON FUNCTION feed.row_key(row_data jsonb, key_columns text[]) TO feed_listener;
GRANT ALL ON FUNCTION feed.row_key(row_data jsonb, key_columns text[]) TO feed_dba;

--
-- Name: FUNCTION seq_since(moment timestamp with time zone); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.seq_since(moment timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.seq_since(moment timestamp with time zone) TO feed_app;
GRANT ALL ON FUNCTION feed.seq_since(moment timestamp with time zone) TO feed_dba;

--
-- Name: FUNCTION set_capture(captures boolean); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.set_capture(captures boolean) FROM PUBLIC;

--
-- Name: FUNCTION set_notify(enabled boolean); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.set_notify(enabled boolean) FROM PUBLIC;

--
-- Name: FUNCTION tail(since interval, board text, opportunity text, actor text, relation text, lim integer); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.tail(since interval, board text, opportunity text, actor text, relation text, lim integer) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.tail(since interval, board text, opportunity text, actor text, relation text, lim integer) TO feed_app;
GRANT ALL ON FUNCTION feed.tail(since interval, board text, opportunity text, actor text, relation text, lim integer) TO feed_dba;

--
-- Name: FUNCTION trigger_arguments(tgargs bytea, OUT board text, OUT key text[], OUT excluded text[]); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.trigger_arguments(tgargs bytea, OUT board text, OUT key text[], OUT excluded text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.trigger_arguments(tgargs bytea, OUT board text, OUT key text[], OUT excluded text[]) TO feed_app;
GRANT ALL ON FUNCTION feed.trigger_arguments(tgargs bytea, OUT board text, OUT key text[], OUT excluded text[]) TO feed_dba;

--
-- Name: FUNCTION verify_log(target regclass, after text, keys integer); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.verify_log(target regclass, after text, keys integer) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.verify_log(target regclass, after text, keys integer) TO feed_app;
GRANT ALL ON FUNCTION feed.verify_log(target regclass, after text, keys integer) TO feed_dba;

--
-- Name: FUNCTION verify_rows(target regclass, since xid8, after text[], rows integer); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.verify_rows(target regclass, since xid8, after text[], rows integer) FROM PUBLIC;
GRANT ALL ON FUNCTION feed.verify_rows(target regclass, since xid8, after text[], rows integer) TO feed_app;
GRANT ALL ON FUNCTION feed.verify_rows(target regclass, since xid8, after text[], rows integer) TO feed_dba;

--
-- Name: FUNCTION version_opportunity(); Type: ACL; Schema: feed; Owner: feed_owner
--

REVOKE ALL ON FUNCTION feed.version_opportunity() FROM PUBLIC;

--
-- Name: TABLE adopted; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT ON TABLE feed.adopted TO feed_app;
GRANT SELECT ON TABLE feed.adopted TO feed_dba;

--
-- Name: TABLE instances; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE feed.instances TO feed_app;
GRANT SELECT ON TABLE feed.instances TO feed_dba;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE feed.instances TO feed_listener;

--
-- Name: TABLE client_positions; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT ON TABLE feed.client_positions TO feed_app;
GRANT SELECT ON TABLE feed.client_positions TO feed_dba;

--
-- Name: TABLE delivery_journal; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT,INSERT,DELETE ON TABLE feed.delivery_journal TO feed_app;
GRANT SELECT ON TABLE feed.delivery_journal TO feed_dba;
GRANT SELECT,INSERT,DELETE ON TABLE feed.delivery_journal TO feed_listener;

--
-- Name: TABLE opportunities; Type: ACL; Schema: public; Owner: boardcast
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.opportunities TO feed_app;
GRANT SELECT ON TABLE public.opportunities TO feed_dba;
GRANT SELECT ON TABLE public.opportunities TO feed_listener;

--
-- Name: TABLE user_presence; Type: ACL; Schema: public; Owner: boardcast
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.user_presence TO feed_app;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.user_presence TO feed_listener;
GRANT SELECT ON TABLE public.user_presence TO feed_dba;

--
-- Name: TABLE editing; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT ON TABLE feed.editing TO feed_app;
GRANT SELECT ON TABLE feed.editing TO feed_dba;

--
-- Name: TABLE flags; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT ON TABLE feed.flags TO feed_app;
GRANT SELECT ON TABLE feed.flags TO feed_dba;
GRANT SELECT ON TABLE feed.flags TO feed_listener;

--
-- Name: TABLE gap_reports; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT,INSERT ON TABLE feed.gap_reports TO feed_app;
GRANT SELECT ON TABLE feed.gap_reports TO feed_dba;
GRANT SELECT,INSERT ON TABLE feed.gap_reports TO feed_listener;

--
-- Name: TABLE gaps; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT ON TABLE feed.gaps TO feed_app;
GRANT SELECT ON TABLE feed.gaps TO feed_dba;

--
-- Name: TABLE identity; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT ON TABLE feed.identity TO feed_app;
GRANT SELECT ON TABLE feed.identity TO feed_dba;
GRANT SELECT ON TABLE feed.identity TO feed_listener;

--
-- Name: TABLE triggers; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT ON TABLE feed.triggers TO feed_app;
GRANT SELECT ON TABLE feed.triggers TO feed_dba;

--
-- Name: TABLE indexes; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT ON TABLE feed.indexes TO feed_app;
GRANT SELECT ON TABLE feed.indexes TO feed_dba;

--
-- Name: TABLE pacer; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT ON TABLE feed.pacer TO feed_app;
GRANT SELECT ON TABLE feed.pacer TO feed_dba;
GRANT SELECT ON TABLE feed.pacer TO feed_listener;

--
-- Name: COLUMN pacer.instance; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT UPDATE(instance) ON TABLE feed.pacer TO feed_app;
GRANT UPDATE(instance) ON TABLE feed.pacer TO feed_listener;

--
-- Name: COLUMN pacer.pid; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT UPDATE(pid) ON TABLE feed.pacer TO feed_app;
GRANT UPDATE(pid) ON TABLE feed.pacer TO feed_listener;

--
-- Name: COLUMN pacer.until; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT UPDATE(until) ON TABLE feed.pacer TO feed_app;
GRANT UPDATE(until) ON TABLE feed.pacer TO feed_listener;

--
-- Name: COLUMN pacer.mode; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT UPDATE(mode) ON TABLE feed.pacer TO feed_app;
GRANT UPDATE(mode) ON TABLE feed.pacer TO feed_listener;

--
-- Name: COLUMN pacer.notifications; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT UPDATE(notifications) ON TABLE feed.pacer TO feed_app;
GRANT UPDATE(notifications) ON TABLE feed.pacer TO feed_listener;

--
-- Name: COLUMN pacer.since; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT UPDATE(since) ON TABLE feed.pacer TO feed_app;
GRANT UPDATE(since) ON TABLE feed.pacer TO feed_listener;

--
-- Name: TABLE instance_status; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT ON TABLE feed.instance_status TO feed_app;
GRANT SELECT ON TABLE feed.instance_status TO feed_dba;

--
-- Name: TABLE lag; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT ON TABLE feed.lag TO feed_app;
GRANT SELECT ON TABLE feed.lag TO feed_dba;

--
-- Name: TABLE maintenance; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT ON TABLE feed.maintenance TO feed_app;
GRANT SELECT ON TABLE feed.maintenance TO feed_dba;

--
-- Name: TABLE retention; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT ON TABLE feed.retention TO feed_app;
GRANT SELECT ON TABLE feed.retention TO feed_dba;

--
-- Name: TABLE health; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT ON TABLE feed.health TO feed_app;
GRANT SELECT ON TABLE feed.health TO feed_dba;

--
-- Name: SEQUENCE notify_suppressed_until; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT,UPDATE ON SEQUENCE feed.notify_suppressed_until TO feed_app;
GRANT SELECT,UPDATE ON SEQUENCE feed.notify_suppressed_until TO feed_listener;
GRANT SELECT ON SEQUENCE feed.notify_suppressed_until TO feed_dba;

--
-- Name: SEQUENCE partition_xid; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT ON SEQUENCE feed.partition_xid TO feed_app;
GRANT SELECT ON SEQUENCE feed.partition_xid TO feed_listener;
GRANT SELECT ON SEQUENCE feed.partition_xid TO feed_dba;

--
-- Name: TABLE tickets; Type: ACL; Schema: feed; Owner: feed_owner
--

GRANT SELECT,INSERT,DELETE ON TABLE feed.tickets TO feed_app;
GRANT SELECT,INSERT,DELETE ON TABLE feed.tickets TO feed_listener;

--
-- Name: TABLE alembic_version; Type: ACL; Schema: public; Owner: boardcast
--

GRANT SELECT ON TABLE public.alembic_version TO feed_app;
GRANT SELECT ON TABLE public.alembic_version TO feed_dba;

--
-- Name: TABLE board_members; Type: ACL; Schema: public; Owner: boardcast
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.board_members TO feed_app;
GRANT SELECT ON TABLE public.board_members TO feed_dba;
GRANT SELECT ON TABLE public.board_members TO feed_listener;

--
-- Name: TABLE boards; Type: ACL; Schema: public; Owner: boardcast
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.boards TO feed_app;
GRANT SELECT ON TABLE public.boards TO feed_dba;

--
-- Name: TABLE opportunity_versions; Type: ACL; Schema: public; Owner: boardcast
--

GRANT SELECT ON TABLE public.opportunity_versions TO feed_app;
GRANT SELECT ON TABLE public.opportunity_versions TO feed_dba;

--
-- Name: TABLE users; Type: ACL; Schema: public; Owner: boardcast
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.users TO feed_app;
GRANT SELECT ON TABLE public.users TO feed_dba;

--
-- PostgreSQL database dump complete
--

