"""`make freeze`: refreshes the newest migration's copy of db/sql, and writes db/migrations/schema.sql and catalog.json.

`python -m tests.support.freeze --release` does the same, and then writes the checksum of every migration to released.txt. From then
on no migration may change, and `make freeze` refuses to touch one.
"""

import asyncio
import hashlib
import json
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from alembic.script import Script, ScriptDirectory
from psycopg import AsyncConnection

from db import catalog, migrate
from db.embedded import cluster
from db.embedded.binaries import find_binaries, major_version
from db.embedded.server import ephemeral_postgres

ROOT = Path(__file__).parents[2]
MIGRATIONS = ROOT / "db" / "migrations"
SQL = ROOT / "db" / "sql"
SCHEMA = MIGRATIONS / "schema.sql"
CATALOG = MIGRATIONS / "catalog.json"
MAJOR = 18
"""The PostgreSQL whose pg_dump writes the schema."""

# Lines that differ from run to run, or between two releases of pg_dump.
_VARIABLE = re.compile(r"^(\\(un)?restrict .*|-- Dumped (from|by) .*)\n", re.MULTILINE)


class ReleasedError(Exception):
    """The newest migration is released, so it must not change."""


def scripts(migrations: Path = MIGRATIONS) -> list[Script]:
    """All migrations, the newest first."""
    return list(ScriptDirectory(str(migrations)).walk_revisions())


def copy_of(script: Script) -> Path:
    """The directory with a migration's copy of the SQL."""
    return Path(script.path).with_suffix("")


def copied(script: Script) -> dict[str, str]:
    """The files in it, by their name in db/sql."""
    folder = copy_of(script)
    return {str(path.relative_to(folder).with_suffix("")): path.read_text("ascii") for path in folder.rglob("*.sql")}


def installed(script: Script, sql: Path = SQL) -> dict[str, str]:
    """What these files should be: those of db/sql that the migration names."""
    names: tuple[str, ...] = script.module.INSTALLS
    return {name: (sql / f"{name}.sql").read_text("ascii") for name in names}


def checksum(script: Script) -> str:
    """Of a migration with its copy."""
    digest = hashlib.sha256(Path(script.path).read_bytes())
    for name, text in sorted(copied(script).items()):
        digest.update(f"\0{name}\0{text}".encode())
    return digest.hexdigest()


def released(migrations: Path = MIGRATIONS) -> dict[str, str]:
    """The checksum of each released migration, by its revision."""
    lines = (migrations / "released.txt").read_text("ascii").splitlines()
    return dict(line.split() for line in lines)


def freeze(migrations: Path = MIGRATIONS, sql: Path = SQL) -> None:
    """Copy what the newest migration installs. Raises ReleasedError."""
    newest = scripts(migrations)[0]
    if newest.revision in released(migrations):
        raise ReleasedError(f"migration {newest.revision} is released: add a new one, see CONTRIBUTING.md")
    shutil.rmtree(copy_of(newest), ignore_errors=True)
    for name, text in installed(newest, sql).items():
        target = copy_of(newest) / f"{name}.sql"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "ascii")


def release(migrations: Path = MIGRATIONS) -> None:
    lines = [f"{script.revision} {checksum(script)}\n" for script in reversed(scripts(migrations))]
    (migrations / "released.txt").write_text("".join(lines), "ascii")


def dump(url: str, binaries: Path) -> str:
    """The schema of a database, the same on every run."""
    written = subprocess.run(
        [binaries / "pg_dump", "--schema-only", url],
        check=True,
        capture_output=True,
        text=True,
        env=cluster.environment(),
    ).stdout
    return re.sub(r"\n{3,}", "\n\n", _VARIABLE.sub("", written))


def catalog_text(url: str) -> str:
    """What the migrations create in schema feed, one object a line."""

    async def read() -> list[catalog.Object]:
        async with await AsyncConnection.connect(url, autocommit=True) as conn:
            return await catalog.read(conn)

    # In a thread, because a test may run an event loop in this one.
    with ThreadPoolExecutor(1) as executor:
        objects = executor.submit(asyncio.run, read()).result()
    return "[\n" + ",\n".join(json.dumps(each) for each in objects) + "\n]\n"


def main() -> None:
    binaries = find_binaries()
    if (found := major_version(binaries)) != MAJOR:
        raise SystemExit(f"schema.sql is written by PostgreSQL {MAJOR}, and {binaries} is {found}: unset PG_BIN")
    try:
        freeze()
    except ReleasedError as error:
        raise SystemExit(str(error)) from None
    with ephemeral_postgres({"fsync": "off"}, binaries=binaries) as server:
        migrate.upgrade(server.url())
        SCHEMA.write_text(dump(server.url(), binaries), "ascii")
        CATALOG.write_text(catalog_text(server.url()), "ascii")
    if "--release" in sys.argv[1:]:
        release()


if __name__ == "__main__":
    main()
