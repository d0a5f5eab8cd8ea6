"""Update rates of two versions of boardcast, by turns in one server: `python -m tests.bench.turns CHECKOUT [ROUNDS]`.

CHECKOUT is another checkout, such as one of `git worktree add`; it needs no setup of its own. One database is migrated by it,
and one by this checkout. In each round, eight writers of pgbench run each statement for a second: without triggers, and with
those of either version, in a changing order. Printed are medians of the rounds: the rate of this version relative to the other
one, and of each relative to no triggers. How long a disk takes varies more than what is measured, so fsync is off, the data are
on a RAM disk if there is one, and nothing is vacuumed meanwhile. PG_BIN chooses the version of PostgreSQL. Run nothing else on
the machine.
"""

import os
import re
import statistics
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
from rich.console import Console

from db.embedded.binaries import find_binaries
from db.embedded.server import ephemeral_postgres
from tests.support.database import create_database

WRITERS = 8
SECONDS = 1
CARDS = 4000
RAM_DISK = Path("/dev/shm")  # noqa: S108 - the server makes its own folder there
ROOT = Path(__file__).parents[2]
ROWS = f"""
INSERT INTO users (id) VALUES ('ana');
INSERT INTO {{boards}} (id, name, phases) VALUES ('b', 'B', '[]');
INSERT INTO opportunities (id, title, phase, board_id, company, contact, value, notes, owner_id, probability, last_modified_by)
SELECT 'o' || n, 'Title ' || n, 'won', 'b', 'Company', 'Contact Person', 12000,
       'some notes of usual length, a line or two of text', 'ana', 50, 'ana' FROM generate_series(0, {CARDS - 1}) AS n;
"""  # noqa: S608 - constants
STATEMENTS = {  # the rows of a writer are its own
    "UPDATE": "UPDATE opportunities SET title = 't' || random() WHERE id = 'o' || :row;",
    "UPDATE that names its author": (
        "UPDATE opportunities SET value = 1000 * random(), last_modified_by = owner_id WHERE id = 'o' || :row;"
    ),
    "UPDATE of 20 rows": (
        "UPDATE opportunities SET value = 1000 * random() "  # noqa: S608 - constants
        f"WHERE id IN (SELECT 'o' || ((:row + n * {WRITERS}) % {CARDS}) FROM generate_series(1, 20) AS n);"
    ),
    "INSERT": "INSERT INTO opportunities (id, title, board_id) VALUES (gen_random_uuid()::text, 't', 'b');",
}
MIGRATE = "import sys; from db import migrate; migrate.upgrade(sys.argv[1])"
_RATE = re.compile(r"tps = ([\d.]+)")


def main() -> None:
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    other, rounds = Path(sys.argv[1]).resolve(), int(sys.argv[2]) if len(sys.argv) > 2 else 21
    settings = {"max_wal_size": "8GB", "checkpoint_timeout": "1h", "fsync": "off", "autovacuum": "off"}
    with ephemeral_postgres(settings, within=RAM_DISK if RAM_DISK.is_dir() else None) as server:
        urls = {}
        for name, checkout in {"none": ROOT, "other": other, "this": ROOT}.items():
            create_database(server.url("postgres"), f"turns_{name}")
            urls[name] = server.url(f"turns_{name}")
            subprocess.run(
                [sys.executable, "-c", MIGRATE, urls[name]],
                check=True,
                cwd=checkout,
                env=os.environ | {"PYTHONPATH": str(checkout)},
            )
            with psycopg.connect(urls[name], autocommit=True) as conn:
                found = conn.execute(
                    "SELECT coalesce(to_regclass('feed.boards'), to_regclass('boards'))::text"
                ).fetchone()
                conn.execute(ROWS.format(boards=found[0] if found else "").encode())
                if name == "none":
                    conn.execute("ALTER TABLE opportunities DISABLE TRIGGER USER")
                conn.execute("VACUUM ANALYZE")
        console = Console()
        console.print(f"{'':32}{'this : other':>14}{'other : none':>14}{'this : none':>14}")
        for title, statement in STATEMENTS.items():
            rates: dict[str, list[float]] = defaultdict(list)
            for number in range(rounds):
                names = sorted(urls, reverse=bool(number % 2))
                for name in names[number % 3 :] + names[: number % 3]:
                    rates[name].append(_rate(urls[name], statement))
            ratios = [
                statistics.median(a / b for a, b in zip(rates[one], rates[two], strict=True))
                for one, two in (("this", "other"), ("other", "none"), ("this", "none"))
            ]
            console.print(f"{title:32}" + "".join(f"{ratio:14.2f}" for ratio in ratios))


def _rate(url: str, statement: str) -> float:
    """Transactions per second, each with one statement."""
    with TemporaryDirectory() as folder:
        script = Path(folder, "script.sql")
        script.write_text(f"\\set row random(0, {CARDS // WRITERS - 1}) * {WRITERS} + :client_id\n{statement}\n")
        done = subprocess.run(
            [
                *(find_binaries() / "pgbench", "--no-vacuum", "--protocol=prepared", f"--file={script}"),
                *(f"--client={WRITERS}", "--jobs=2", f"--time={SECONDS}", url),
            ],
            capture_output=True,
            text=True,
            check=True,
        )
    found = _RATE.search(done.stdout)
    if found is None:
        sys.exit(done.stdout + done.stderr)
    return float(found[1])


if __name__ == "__main__":
    main()
