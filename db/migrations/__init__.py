"""The schema's history: one migration in each file of `versions`, and beside it the SQL that it installs.

The migration `0001_feed.py` reads only the files in `0001_feed/`, its frozen copy of files of db/sql. `frozen` runs them. `make
freeze` refreshes the copy of the newest migration, and writes `schema.sql`, a migrated database as pg_dump describes it, and
`catalog.json`, what db.catalog compares a database with. Alembic loads `env.py` and `versions` by path. It imports nothing of
boardcast.

Invariant: a released migration never changes. Its checksum is in `released.txt`, and a test compares it.
"""

SCHEMA = "feed"
"""The schema of everything that is ours, also of the table in which Alembic keeps the version: the application has its own."""
