"""The account that PostgreSQL runs as: this process's own, or an unprivileged one where this process is root.

PostgreSQL refuses to run as root. Nothing here changes the permissions of a directory that is not boardcast's own: if the account
cannot reach something, an error says so.
"""

import os
import pwd
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from db.embedded.errors import EmbeddedError

# initdb looks up its own name, so a number without a passwd entry is not enough.
UNPRIVILEGED = ("postgres", "nobody")


@dataclass(frozen=True)
class Account:
    """`other` is the account to switch to; None if programs run as the current user."""

    other: pwd.struct_passwd | None

    @classmethod
    def choose(cls) -> "Account":
        if os.geteuid() != 0:
            return cls(None)
        for name in UNPRIVILEGED:
            try:
                return cls(pwd.getpwnam(name))
            except KeyError:
                continue
        raise EmbeddedError(
            f"PostgreSQL cannot run as root, and there is no user {' or '.join(UNPRIVILEGED)} to run it as: create one with "
            f"`useradd --system {UNPRIVILEGED[0]}`, run boardcast as another user, or set DATABASE_URL"
        )

    def spawn(
        self, command: Sequence[str | Path], *, output: IO[bytes] | int, env: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        """Start `command` in a session of its own: Ctrl-C in the terminal reaches only this process, which stops the server."""
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=env,
            cwd="/",
            start_new_session=True,
            user=self.other.pw_uid if self.other else None,
            group=self.other.pw_gid if self.other else None,
            extra_groups=[] if self.other else None,
        )

    def own(self, path: Path) -> None:
        if self.other:
            os.chown(path, self.other.pw_uid, self.other.pw_gid)

    def reaches(self, path: Path) -> bool:
        """Whether the account may run the program, or enter the directory, `path`. The kernel decides, as for the account."""
        if not self.other:
            return os.access(path, os.X_OK)
        test = self.spawn(
            [shutil.which("test") or "/bin/test", "-x", path], output=subprocess.DEVNULL, env={"PATH": os.defpath}
        )
        return test.wait() == 0

    def __str__(self) -> str:
        return self.other.pw_name if self.other else "you"
