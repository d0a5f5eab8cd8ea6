"""A disk that is soon full, with a database on it: a tmpfs, which root may mount, as a tablespace of the tests' server."""

import os
import secrets
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from db.account import Account
from db.embedded import EmbeddedPostgres
from tests.support.database import Database


class SmallDisk:
    def __init__(self, folder: Path, database: Database) -> None:
        self.folder = folder
        self.database = database
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        """Leave no room for another page."""
        with self._ballast.open("ab", buffering=0) as ballast:
            try:
                while ballast.write(bytes(4096)):
                    pass
            except OSError:  # full: ENOSPC
                return

    def free(self) -> None:
        self._ballast.unlink()


@contextmanager
def small_disk(server: EmbeddedPostgres, template: str, *, megabytes: int = 64) -> Iterator[SmallDisk]:
    """Clone `template` onto a disk of this size. Skips the test where disks cannot be mounted."""
    name = f"small_{uuid.uuid4().hex[:12]}"
    with tempfile.TemporaryDirectory(prefix="boardcast-") as parent:
        Path(parent).chmod(0o711)
        folder = Path(parent, "disk")
        folder.mkdir()
        options = f"size={megabytes}m"
        mounted = os.geteuid() == 0 and subprocess.run(
            ["/bin/mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=False, capture_output=True
        )
        if not mounted or mounted.returncode != 0:
            pytest.skip("a disk can be mounted by root alone, and not in every container")
        try:
            tablespace = folder / "tablespace"
            tablespace.mkdir(mode=0o700)
            Account.choose().own(tablespace)
            with psycopg.connect(server.url("postgres"), autocommit=True) as conn:
                at, space = sql.Literal(str(tablespace)), sql.Identifier(name)
                conn.execute(sql.SQL("CREATE TABLESPACE {} LOCATION {}").format(space, at))
                clone = sql.SQL("CREATE DATABASE {0} TEMPLATE {1} TABLESPACE {0}")
                conn.execute(clone.format(space, sql.Identifier(template)))
                try:
                    yield SmallDisk(folder, Database(server.url(name), name))
                finally:
                    conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(space))
                    conn.execute(sql.SQL("DROP TABLESPACE {}").format(space))
        finally:
            subprocess.run(["/bin/umount", folder], check=True)


async def write_until_full(database: Database) -> psycopg.errors.DiskFull:
    """Writes that fill the pages that there are, and then want another; what the last of them is told."""
    async with await database.connect() as conn:
        for _ in range(500):
            try:
                await conn.execute("UPDATE opportunities SET notes = %s WHERE id = 'o1'", (secrets.token_hex(1000),))
            except psycopg.errors.DiskFull as error:
                return error
    raise AssertionError("the disk does not fill")
