CREATE TABLE feed.adopted (
    role text PRIMARY KEY CONSTRAINT adopted_role CHECK (role IN ('users', 'opportunities')),
    relation regclass NOT NULL,
    created boolean NOT NULL,
    added text[] NOT NULL DEFAULT '{}',
    name text,
    columns jsonb NOT NULL DEFAULT '{}',
    granted text[] NOT NULL DEFAULT '{}',
    restoring jsonb
);
COMMENT ON TABLE feed.adopted IS
    'The tables in other schemas that boards are made of. They are the application''s, unless boardcast created them.';
COMMENT ON COLUMN feed.adopted.role IS 'opportunities: its rows are the cards; users: it has the names of the users';
COMMENT ON COLUMN feed.adopted.relation IS 'The table';
COMMENT ON COLUMN feed.adopted.created IS 'Whether boardcast created it. boardcast migrate --down then drops it.';
COMMENT ON COLUMN feed.adopted.added IS 'Columns that boardcast added to a table of the application. boardcast migrate --down drops them.';
COMMENT ON COLUMN feed.adopted.name IS
    'Name of the table when it was adopted: a table that is created again under this name takes its place. Null: public.users or public.opportunities';
COMMENT ON COLUMN feed.adopted.columns IS
    'The columns of fields that were named in feed.adopt: for each field the names that its column has had, its number, and the OID of the table that has this number. See feed.mapped_column.';
COMMENT ON COLUMN feed.adopted.restoring IS
    'Columns that were dropped and added again, whose values feed.mend_rows is restoring from the log: up to which seq, after which key, in how many rows so far';
COMMENT ON COLUMN feed.adopted.granted IS 'Schemas on which boardcast granted the services USAGE. boardcast migrate --down revokes it.';
