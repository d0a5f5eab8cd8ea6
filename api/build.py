"""Which page this instance serves: a page that was loaded before an upgrade compares, and offers to load itself again."""

from hashlib import blake2s
from pathlib import Path


def fingerprint(page: Path) -> str:
    """Eight hexadecimal digits of the page's entry, which names its scripts by their contents; none where it is not built."""
    try:
        return blake2s(page.read_bytes(), digest_size=4).hexdigest()
    except FileNotFoundError:
        return ""


def of_files(folder: Path) -> str:
    """Eight hexadecimal digits of all files of a page that is served as it is, with their names."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    told = blake2s(digest_size=4)
    for path in files:
        told.update(f"{path.relative_to(folder).as_posix()}\0{path.stat().st_size}\0".encode() + path.read_bytes())
    return told.hexdigest()
