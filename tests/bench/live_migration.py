"""How long writers wait while a table is migrated: `python -m tests.bench.live_migration [ROWS]` (1,000,000 by default).

Two sessions write all the time, one of them to `opportunities`, which references `users`, and one to both. For each step it prints
its duration and the longest statement of the writers, in milliseconds.
"""

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
from rich.console import Console
from rich.table import Table

from db import migrate, migration_check
from db.embedded.account import Account
from db.embedded.binaries import find_binaries, runnable_binaries
from db.embedded.server import EmbeddedPostgres

SCHEMA = """
CREATE TABLE users (id integer PRIMARY KEY, name text);
CREATE TABLE opportunities (id integer PRIMARY KEY, title text NOT NULL, phase text NOT NULL,
                            owner_id integer REFERENCES users (id), notes text);
INSERT INTO users SELECT n, 'user ' || n FROM generate_series(1, 100) AS n;
"""
FILL = """
INSERT INTO opportunities SELECT n, 'deal ' || n, 'phase ' || n %% 5, 1 + n %% 100, repeat(md5(n::text), 6)
FROM generate_series(1, %s) AS n
"""
DROP = "ALTER TABLE opportunities DROP COLUMN board_id, DROP COLUMN position, DROP COLUMN version_number"


class Writers:
    """Two sessions that write until `stop`, and the longest statement since it was last asked for."""

    def __init__(self, url: str, rows: int) -> None:
        self.longest = 0.0
        self.errors: list[str] = []
        self._stopped = threading.Event()
        self._url, self._rows = url, rows
        self._threads = [threading.Thread(target=self._write, args=(n,)) for n in range(2)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def _write(self, number: int) -> None:
        key = self._rows + 1 + number
        with psycopg.connect(self._url, autocommit=True) as conn:
            while not self._stopped.is_set():
                key += 2
                try:
                    if number:
                        self._time(conn, "UPDATE users SET name = 'n' WHERE id = %s", key % 100 + 1)
                        self._time(conn, "UPDATE opportunities SET title = 'n' WHERE id = %s", key % self._rows + 1)
                    else:
                        self._time(conn, "INSERT INTO opportunities VALUES (%s, 'new', 'phase 1', 1)", key)
                except psycopg.Error as error:
                    self.errors.append(str(error))
                time.sleep(0.001)

    def _time(self, conn: psycopg.Connection, statement: str, key: int) -> None:
        begin = time.perf_counter()
        conn.execute(statement.encode(), [key])
        self.longest = max(self.longest, time.perf_counter() - begin)


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    binaries = runnable_binaries(find_binaries(), Account.choose())
    with TemporaryDirectory(prefix="boardcast-") as folder:
        Path(folder).chmod(0o711)
        with EmbeddedPostgres(Path(folder, "server"), binaries=binaries) as server:
            url = server.url()
            with psycopg.connect(url, autocommit=True) as conn:
                conn.execute(SCHEMA.encode())
                conn.execute(FILL.encode(), [rows])
                conn.execute("VACUUM ANALYZE")
            table = Table("step", "seconds", "longest write, ms", title=f"{rows:,} rows, two writers")
            steps: dict[str, Callable[[], object]] = {
                "nothing, for 5 s": lambda: time.sleep(5),
                "migrate --check": lambda: migration_check.check(url),
                "migrate": lambda: migrate.upgrade(url),
                "migrate again": lambda: migrate.mend(url),
                "DROP of three columns, by the application": lambda: _execute(url, DROP),
                "migrate, after three columns were dropped": lambda: migrate.mend(url),
                "migrate --down": lambda: migrate.downgrade(url),
            }
            writers = Writers(url, rows)
            try:
                for name, step in steps.items():
                    writers.longest, begin = 0.0, time.perf_counter()
                    step()
                    seconds = time.perf_counter() - begin
                    table.add_row(name, f"{seconds:.1f}", f"{1000 * writers.longest:.0f}")
            finally:
                writers.stop()
    console = Console()
    console.print(table)
    console.print(f"writes that failed: {len(writers.errors)}", *writers.errors[:3])


def _execute(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(statement.encode())


if __name__ == "__main__":
    main()
