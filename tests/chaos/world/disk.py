"""A tmpfs for one server, which can be shrunk to its used size and grown again."""

import os
import subprocess
from pathlib import Path

SIZE = 2 << 30
_SLACK = 64 << 10


class Disk:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def mount(cls, folder: Path) -> "Disk | None":
        """Mount a tmpfs; None if that is not permitted."""
        if os.geteuid() != 0:
            return None
        folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        mounted = subprocess.run(
            ["/bin/mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=0711", "tmpfs", str(folder)],
            check=False,
            capture_output=True,
        )
        return cls(folder) if mounted.returncode == 0 else None

    def shrink(self) -> None:
        """Leave space for a few pages only."""
        for _ in range(5):  # the server keeps writing, and a tmpfs cannot shrink below its used size
            stat = os.statvfs(self.folder)
            used = (stat.f_blocks - stat.f_bfree) * stat.f_frsize
            if self._resize(used + _SLACK) == 0:
                return
        raise RuntimeError(f"{self.folder} cannot be shrunk")

    def grow(self) -> None:
        if self._resize(SIZE) != 0:
            raise RuntimeError(f"{self.folder} cannot be grown")

    def unmount(self) -> None:
        subprocess.run(["/bin/umount", "--lazy", str(self.folder)], check=False, capture_output=True)

    def _resize(self, size: int) -> int:
        command = ["/bin/mount", "-o", f"remount,size={size}", str(self.folder)]
        return subprocess.run(command, check=False, capture_output=True).returncode
