"""The directory around a cluster's data: its lock, and the small files that outlive a run.

Invariant: at most one process holds the lock, and a file that was kept is complete or absent.
"""

import fcntl
import os
import tempfile
from pathlib import Path
from typing import IO

from db.embedded.account import Account
from db.embedded.errors import EmbeddedError


class Home:
    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self._lock: IO[str] | None = None

    def create(self, account: Account) -> None:
        """Create the directory. The account may pass through, but not list it: only `data` in it belongs to the account."""
        try:
            for folder in reversed([self.path, *self.path.parents]):
                if not folder.exists():
                    folder.mkdir()
                    folder.chmod(0o711)  # whatever the umask is: the account passes through
        except OSError as error:
            raise EmbeddedError(
                f"cannot create {self.path}: {error.strerror}. Set BOARDCAST_DATA_DIR to another directory"
            ) from error
        if not account.reaches(self.path):
            raise EmbeddedError(
                f"PostgreSQL would run as user {account}, who cannot enter {self.path}: "
                "set BOARDCAST_DATA_DIR to another directory, or DATABASE_URL to a running server"
            )

    def lock(self) -> None:
        """Idempotent. Raises EmbeddedError if another process holds the lock."""
        if self._lock is not None:
            return
        lock = (self.path / "lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            holder = lock.read().strip()
            lock.close()
            raise EmbeddedError(
                f"{self.path} is in use by process {holder}: stop it, or set BOARDCAST_DATA_DIR to another directory"
            ) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        self._lock = lock

    def unlock(self) -> None:
        """Idempotent."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def has(self, name: str) -> bool:
        return (self.path / name).exists()

    def read(self, name: str) -> str:
        """A file that was kept, also by another process. Raises EmbeddedError if there is none."""
        try:
            return (self.path / name).read_text().strip()
        except FileNotFoundError:
            raise EmbeddedError(f"no server was ever started in {self.path}: start one with `boardcast up`") from None

    def keep(self, name: str, text: str) -> None:
        """Write a small file that only this user can read, in one step."""
        with tempfile.NamedTemporaryFile("w", dir=self.path, prefix=f".{name}-", delete=False) as draft:
            draft.write(f"{text}\n")
        Path(draft.name).rename(self.path / name)
