"""Instructions that PostgreSQL runs for one statement, without and with the triggers: `python -m tests.bench.instructions`.

Instructions hardly depend on the machine or on what else it does, so a change of a few percent can be seen. Each statement runs in
PostgreSQL's single-user mode under callgrind (Debian: valgrind), planning and commit included, 100 and 300 times; the difference
is divided by 200. To compare two versions of the triggers, run it in a checkout of each. PG_BIN chooses the version of PostgreSQL.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
from rich.console import Console

from db import migrate
from db.embedded import cluster
from db.embedded.account import Account
from db.embedded.binaries import find_binaries, runnable_binaries
from db.embedded.server import DATABASE, EmbeddedPostgres

FEW, MANY = 100, 300
ROWS = 400
SETTINGS = {"fsync": "off", "autovacuum": "off", "jit": "off"}
CARDS = f"""
INSERT INTO users (id) VALUES ('ana');
INSERT INTO feed.boards (id, name, phases) VALUES ('b', 'B', '[]');
INSERT INTO opportunities (id, title, phase, board_id, company, contact, value, notes, owner_id, probability, last_modified_by)
SELECT 'o' || n, 'Title ' || n, 'won', 'b', 'Company', 'Contact Person', 12000,
       'some notes of usual length, a line or two of text', 'ana', 50, 'ana' FROM generate_series(1, {ROWS}) AS n;
"""  # noqa: S608 - a constant
STATEMENTS = {
    "UPDATE": (1, "UPDATE opportunities SET title = 't{n}' WHERE id = 'o7'"),
    "UPDATE that names its author": (
        1,
        "UPDATE opportunities SET value = {n}, last_modified_by = owner_id WHERE id = 'o7'",
    ),
    "INSERT": (1, "INSERT INTO opportunities (id, title, board_id) VALUES ('n{n}', 't', 'b')"),
    "DELETE": (1, "DELETE FROM opportunities WHERE id = 'o{n}'"),
    f"UPDATE of {ROWS} rows, a row": (ROWS, "UPDATE opportunities SET value = {n}"),
}
"""By name: the rows that it changes, and its text on the nth run."""


def main() -> None:
    if shutil.which("valgrind") is None:
        sys.exit("valgrind is not installed: apt-get install valgrind")
    account = Account.choose()
    binaries = runnable_binaries(find_binaries(), account)
    with TemporaryDirectory(prefix="boardcast-") as folder:
        Path(folder).chmod(0o711)
        clusters = {}
        for triggers in (False, True):
            home = Path(folder, str(triggers))
            with EmbeddedPostgres(home, settings=SETTINGS, binaries=binaries) as server:
                migrate.upgrade(server.url())
                with psycopg.connect(server.url(), autocommit=True) as conn:
                    conn.execute(CARDS.encode())
                    if not triggers:
                        conn.execute("ALTER TABLE opportunities DISABLE TRIGGER USER")
            clusters[triggers] = home / "data"
        console = Console()
        console.print(f"{'':32}{'no triggers':>14}{'triggers':>14}{'ratio':>8}")
        for name, (rows, statement) in STATEMENTS.items():
            bare, fed = (_per_run(binaries, account, clusters[on], statement, rows) for on in (False, True))
            console.print(f"{name:32}{bare:14,}{fed:14,}{fed / bare:8.2f}")


def _per_run(binaries: Path, account: Account, data: Path, statement: str, rows: int) -> int:
    few, many = (FEW, MANY) if rows == 1 else (2, 6)
    counted = [
        _count(binaries, account, data, [statement.format(n=1 + n) for n in range(runs)]) for runs in (few, many)
    ]
    return (counted[1] - counted[0]) // (many - few) // rows


def _count(binaries: Path, account: Account, data: Path, statements: list[str]) -> int:
    with TemporaryDirectory(prefix="boardcast-", dir=data.parent) as folder:
        copy = Path(folder, "data")
        shutil.copytree(data, copy)
        account.own(Path(folder))
        for path in copy.rglob("*"):
            account.own(path)
        account.own(copy)
        done = subprocess.run(
            [
                *(
                    "valgrind",
                    "--tool=callgrind",
                    "--callgrind-out-file=/dev/null",
                    str(binaries / "postgres"),
                    "--single",
                ),
                *("-D", str(copy), *(f"-c{name}={value}" for name, value in SETTINGS.items()), DATABASE),
            ],
            input="".join(f"{statement}\n" for statement in statements),
            capture_output=True,
            text=True,
            check=True,
            cwd=folder,
            env=cluster.environment(),
            user=account.other.pw_uid if account.other else None,
            group=account.other.pw_gid if account.other else None,
            extra_groups=[] if account.other else None,
        )
    found = re.search(r"Collected : (\d+)", done.stderr)
    if found is None or "ERROR" in done.stderr:
        sys.exit(done.stderr[-2000:])
    return int(found[1])


if __name__ == "__main__":
    main()
