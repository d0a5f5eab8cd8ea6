"""Fingerprints of the pages that this instance serves. A tab compares them to detect that a newer page is served."""

from hashlib import blake2s
from pathlib import Path

_SIZE = 4
"""Bytes of a fingerprint, which is twice as many hexadecimal digits."""


def file_fingerprint(page: Path) -> str:
    """Return the fingerprint of a built page, which names its scripts by their contents; empty if it is not built."""
    try:
        return blake2s(page.read_bytes(), digest_size=_SIZE).hexdigest()
    except FileNotFoundError:
        return ""


def directory_fingerprint(directory: Path) -> str:
    """Return the fingerprint of all files of a page, with their names."""
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    digest = blake2s(digest_size=_SIZE)
    for path in files:
        name = path.relative_to(directory).as_posix()
        digest.update(f"{name}\0{path.stat().st_size}\0".encode() + path.read_bytes())
    return digest.hexdigest()
