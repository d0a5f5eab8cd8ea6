"""Creating a cluster's data directory with initdb: complete, or not at all."""

import os
import shutil
import tempfile
from pathlib import Path

from db.embedded.account import Account
from db.embedded.binaries import major_version
from db.embedded.errors import EmbeddedError


def create(data: Path, *, binaries: Path, account: Account, user: str, password: str, sync: bool) -> None:
    """Create the cluster `data`. Its superuser `user` has to log in with `password`. Raises EmbeddedError."""
    draft = data.with_name(f"{data.name}.new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    account.own(draft)
    # The builtin locale sorts by code point, as C does, but knows upper case beyond ASCII. PostgreSQL has it since 17.
    builtin = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if major_version(binaries) >= 17 else []
    with tempfile.TemporaryFile() as output, tempfile.NamedTemporaryFile("w", dir=data.parent) as pwfile:
        pwfile.write(password)
        pwfile.flush()
        account.own(Path(pwfile.name))  # a copy: the account may not read the file that keeps the password
        status = account.spawn(
            [
                *(binaries / "initdb", f"--pgdata={draft}", f"--username={user}", f"--pwfile={pwfile.name}"),
                *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", *builtin),
                *([] if sync else ["--no-sync"]),
            ],
            output=output,
            env=environment(),
        ).wait()
        output.seek(0)
        printed = output.read().decode(errors="replace").strip()
    if status != 0:
        raise EmbeddedError(f"initdb failed:\n{printed}")
    draft.rename(data)


def environment() -> dict[str, str]:
    """This process's environment without what would name another cluster or translate the server's messages."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {"LC_ALL": "C"}
