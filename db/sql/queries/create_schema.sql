-- Before the first migration, because Alembic keeps its version in the schema.
CREATE SCHEMA feed;
COMMENT ON SCHEMA feed IS 'boardcast: the log of changes, its triggers and its readers'
