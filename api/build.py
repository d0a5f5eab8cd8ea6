"""Which page this instance serves: a page that was loaded before an upgrade compares, and offers to load itself again."""

from hashlib import blake2s
from pathlib import Path


def fingerprint(page: Path) -> str:
    """Eight hexadecimal digits of the page's entry, which names its scripts by their contents; none where it is not built."""
    try:
        return blake2s(page.read_bytes(), digest_size=4).hexdigest()
    except FileNotFoundError:
        return ""
