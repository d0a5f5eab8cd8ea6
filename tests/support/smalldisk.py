"""A small disk (a tmpfs, which needs root) under a database or a whole server."""

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

from db import migrate
from db.embedded.account import Account
from db.embedded.server import EmbeddedPostgres
from tests.conftest import SERVER_SETTINGS
from tests.support.database import Database

SETTINGS = SERVER_SETTINGS | {"shared_buffers": "32MB", "max_wal_size": "64MB", "min_wal_size": "32MB"}


class SmallDisk:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        """Fill the disk so that no further page fits."""
        with self._ballast.open("ab", buffering=0) as ballast:
            try:
                while ballast.write(bytes(4096)):
                    pass
            except OSError:  # full: ENOSPC
                return

    def free(self) -> None:
        self._ballast.unlink()


@contextmanager
def mounted(megabytes: int) -> Iterator[SmallDisk]:
    """Mount a disk of this size. Skips the test if it cannot be mounted."""
    with tempfile.TemporaryDirectory(prefix="boardcast-") as parent:
        Path(parent).chmod(0o711)
        folder = Path(parent, "disk")
        folder.mkdir(mode=0o711)
        command = ["/bin/mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0711", "tmpfs", str(folder)]
        mounting = os.geteuid() == 0 and subprocess.run(command, check=False, capture_output=True)
        if not mounting or mounting.returncode != 0:
            pytest.skip("mounting a disk needs root and a container that permits it")
        try:
            yield SmallDisk(folder)
        finally:
            subprocess.run(["/bin/umount", folder], check=True)


@contextmanager
def small_database(server: EmbeddedPostgres, template: str) -> Iterator[tuple[SmallDisk, Database]]:
    """Clone `template` onto its own small disk; the server's WAL is elsewhere."""
    name = f"small_{uuid.uuid4().hex[:12]}"
    with mounted(64) as disk:
        tablespace = disk.folder / "tablespace"
        tablespace.mkdir(mode=0o700)
        Account.choose().own(tablespace)
        space = sql.Identifier(name)
        with psycopg.connect(server.url("postgres"), autocommit=True) as conn:
            conn.execute(sql.SQL("CREATE TABLESPACE {} LOCATION {}").format(space, sql.Literal(str(tablespace))))
            clone = sql.SQL("CREATE DATABASE {0} TEMPLATE {1} TABLESPACE {0}")
            conn.execute(clone.format(space, sql.Identifier(template)))
            try:
                yield disk, Database(server.url(name), name)
            finally:
                conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(space))
                conn.execute(sql.SQL("DROP TABLESPACE {}").format(space))


@contextmanager
def small_server(binaries: Path | None) -> Iterator[tuple[SmallDisk, EmbeddedPostgres]]:
    """Run a migrated server with its data and WAL on a small disk."""
    with (
        mounted(256) as disk,
        EmbeddedPostgres(disk.folder / "postgres", settings=SETTINGS, binaries=binaries) as server,
    ):
        migrate.upgrade(server.url())
        yield disk, server


async def write_until_full(database: Database) -> psycopg.errors.DiskFull:
    """Update a card until its table needs another page; return the error of the failed write."""
    async with await database.connect() as conn:
        for _ in range(500):
            try:
                await conn.execute("UPDATE opportunities SET notes = %s WHERE id = 'o1'", (secrets.token_hex(1000),))
            except psycopg.errors.DiskFull as error:
                return error
    raise AssertionError("the disk did not fill up")
