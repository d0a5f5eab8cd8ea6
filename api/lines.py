"""Texts merged by lines, three ways (diff3).

Invariant: a line of the result is in the base and in both texts, or belongs to a stretch that one side alone changed, or both
alike. Stretches of the two sides that touch each other are left to people.
"""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

MOST = 1000
"""Lines of a text that is merged: matching takes the square of it where lines repeat."""

Lines = Sequence[str]


def merge(base: str, ours: str, theirs: str) -> str | None:
    """Put both changes together; None where they touch each other."""
    three = base.split("\n"), ours.split("\n"), theirs.split("\n")
    if max(map(len, three)) > MOST:
        return None
    merged: list[str] = []
    done = [0, 0, 0]
    for starts, size in _common(*three):
        stretch = _one(*(text[begin:end] for text, begin, end in zip(three, done, starts, strict=True)))
        if stretch is None:
            return None
        merged += stretch
        merged += three[0][starts[0] : starts[0] + size]
        done = [start + size for start in starts]
    return "\n".join(merged)


def _one(base: Lines, ours: Lines, theirs: Lines) -> Lines | None:
    if ours in (base, theirs):
        return theirs
    return ours if theirs == base else None


def _common(base: Lines, ours: Lines, theirs: Lines) -> Iterator[tuple[tuple[int, int, int], int]]:
    """The stretches that are in all three, as (where in each, how long), in order; at last an empty one where they end."""
    left, right = _matches(base, ours), _matches(base, theirs)
    a = b = 0
    while a < len(left) and b < len(right):
        (base_a, in_ours, size_a), (base_b, in_theirs, size_b) = left[a], right[b]
        start, end = max(base_a, base_b), min(base_a + size_a, base_b + size_b)
        if start < end:
            yield (start, in_ours + start - base_a, in_theirs + start - base_b), end - start
        if base_a + size_a <= base_b + size_b:
            a += 1
        else:
            b += 1
    yield (len(base), len(ours), len(theirs)), 0


def _matches(base: Lines, text: Lines) -> list[tuple[int, int, int]]:
    return [
        (block.a, block.b, block.size)
        for block in SequenceMatcher(None, base, text).get_matching_blocks()
        if block.size
    ]
