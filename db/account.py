"""The account PostgreSQL runs as: our own, or an unprivileged one where we are root, as it refuses to run as root.

Nothing here changes the permissions of a folder that is not ours: what the account cannot reach is said, not opened up.
"""

import os
import pwd
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

# initdb looks its own name up, so a number without a passwd entry will not do.
UNPRIVILEGED = ("postgres", "nobody")


@dataclass(frozen=True)
class Account:
    """Somebody to run programs as; `other` is None where that is simply us."""

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
        raise LookupError(f"PostgreSQL does not run as root, and there is no account {' or '.join(UNPRIVILEGED)}")

    def spawn(
        self, command: Sequence[str | Path], *, output: IO[bytes] | int, env: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        """Start `command` out of reach of the terminal's Ctrl-C, which is ours to answer, in our order."""
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
        """Whether the account may run the program, or enter the folder, `path`: asked of the kernel, in its name."""
        if not self.other:
            return os.access(path, os.X_OK)
        asked = self.spawn(
            [shutil.which("test") or "/bin/test", "-x", path], output=subprocess.DEVNULL, env={"PATH": os.defpath}
        )
        return asked.wait() == 0

    def __str__(self) -> str:
        return self.other.pw_name if self.other else "you"
