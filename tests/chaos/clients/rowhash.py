"""The hash of a checkpoint, from the formula in docs/protocol.md."""

from collections.abc import Iterable
from zlib import crc32

_MASK = 0xFFFFFFFF


def row_hash(key: str, version: int) -> int:
    h = (crc32(key.encode()) + version * 2654435761) & _MASK
    h = ((h ^ h >> 16) * 2246822507) & _MASK
    h = ((h ^ h >> 13) * 3266489909) & _MASK
    return h ^ h >> 16


def board_hash(rows: Iterable[tuple[str, int]]) -> str:
    """The hash of (id, version) pairs."""
    return f"{sum(row_hash(key, version) for key, version in rows) & _MASK:08x}"
