"""Where the embedded cluster's directory is."""

import hashlib
import os
from pathlib import Path

from db.embedded.account import Account
from db.settings import Settings

STATE = Path("/var/lib/boardcast")


def cluster_dir(settings: Settings) -> Path:
    """A directory in `data_dir`, or in /var/lib if the server's account cannot reach that.

    As root, the server runs as another account, which cannot enter a clone under /root. Then the default directory moves. One
    that was asked for does not move, and starting says what is wrong with it.
    """
    home = settings.data_dir.resolve() / "postgres"
    asked_for = "data_dir" in settings.model_fields_set
    if asked_for or Account.choose().reaches(_nearest(home)):
        return home
    return STATE / hashlib.sha256(os.fsencode(home)).hexdigest()[:12]


def _nearest(path: Path) -> Path:
    """The nearest existing directory above `path`; those missing below it are created at start."""
    return next(folder for folder in path.parents if folder.exists())
