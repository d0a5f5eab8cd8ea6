"""Making a cluster's data directory with initdb: whole, or not there at all."""

import os
import shutil
import tempfile
from pathlib import Path

from db import pgbin
from db.account import Account


class InitdbError(RuntimeError):
    """initdb failed; the message is its own."""


def create(data: Path, *, binaries: Path, account: Account, user: str, password: str, sync: bool) -> None:
    """Make the cluster `data`, whose superuser `user` comes in with `password` only."""
    draft = data.with_name(f"{data.name}.new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    account.own(draft)
    # The builtin locale sorts by code point as C does, but knows upper case beyond ASCII; 17 is its first version.
    builtin = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if pgbin.major(binaries) >= 17 else []
    with tempfile.TemporaryFile() as output, tempfile.NamedTemporaryFile("w", dir=data.parent) as handed:
        handed.write(password)
        handed.flush()
        account.own(Path(handed.name))  # a copy of its own: the kept one is not for the account to read
        made = account.spawn(
            [
                *(binaries / "initdb", f"--pgdata={draft}", f"--username={user}", f"--pwfile={handed.name}"),
                *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", *builtin),
                *([] if sync else ["--no-sync"]),
            ],
            output=output,
            env=environment(),
        ).wait()
        output.seek(0)
        said = output.read().decode(errors="replace").strip()
    if made != 0:
        raise InitdbError(f"initdb failed:\n{said}")
    draft.rename(data)


def environment() -> dict[str, str]:
    """Hand on ours without what would turn a server to another cluster or its messages into another language."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {"LC_ALL": "C"}
