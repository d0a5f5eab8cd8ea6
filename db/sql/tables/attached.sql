-- An OID alone would not do: a table that is dropped and created again under its name, or swapped by RENAME, has another one.
CREATE TABLE feed.attached (
    relation regclass PRIMARY KEY,
    schema_name text NOT NULL,
    table_name text NOT NULL,
    key text[] NOT NULL,
    board text,
    excluded text[] NOT NULL,
    columns jsonb NOT NULL,
    numbered oid NOT NULL,
    layouts jsonb NOT NULL DEFAULT '[]',
    partitions regclass[] NOT NULL,
    seq bigint NOT NULL,
    was_empty boolean NOT NULL,
    newest_key text,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    attached_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    attached_by text NOT NULL DEFAULT session_user,
    CONSTRAINT attached_name UNIQUE (schema_name, table_name)
);
COMMENT ON TABLE feed.attached IS
    'How and when each table was attached. Earlier changes do not have to be in the log. See feed.attached_tables.';
COMMENT ON COLUMN feed.attached.relation IS 'The table; a number if it was dropped';
COMMENT ON COLUMN feed.attached.schema_name IS 'Schema of the table when it was attached';
COMMENT ON COLUMN feed.attached.table_name IS 'Name of the table when it was attached';
COMMENT ON COLUMN feed.attached.key IS 'Key columns, by their names when the table was attached';
COMMENT ON COLUMN feed.attached.board IS
    'Column with the board whose clients receive the change, named as it was then; null: none';
COMMENT ON COLUMN feed.attached.excluded IS 'Columns that are not logged, by their names when the table was attached';
COMMENT ON COLUMN feed.attached.columns IS
    'Number of each of these columns, by its name. It finds a column that was renamed since; see feed.current_columns.';
COMMENT ON COLUMN feed.attached.numbered IS
    'OID of the table to which the column numbers belong. After a dump is restored, the table has another OID, and the numbers are not valid.';
COMMENT ON COLUMN feed.attached.layouts IS
    'The columns that the table has had, with their numbers and types, oldest first. See feed.note_layouts.';
COMMENT ON COLUMN feed.attached.partitions IS
    'Partitions of the table, at all levels, whose rows are in the log. feed.maintain() adds those that were created empty.';
COMMENT ON COLUMN feed.attached.seq IS
    'Rows of the log up to this sequence number belong to an earlier table with the same name; 0: none do';
COMMENT ON COLUMN feed.attached.was_empty IS
    'Whether the table had no rows when it was attached. If so, the log has every row, from its insert on.';
COMMENT ON COLUMN feed.attached.newest_key IS
    'Largest key, if it is an integer or a uuid, among the rows that the table had when it was attached and the rows whose changes have been pruned since. A row with a larger key must be in the log.';
COMMENT ON COLUMN feed.attached.xid IS
    'Newest transaction that may have written to the table before it was attached; usually the transaction that attached it';
COMMENT ON COLUMN feed.attached.attached_at IS 'When the table was attached';
COMMENT ON COLUMN feed.attached.attached_by IS 'session_user who attached it';
