"""A three-way merge of texts by lines (diff3).

Invariant: each line of the result is either in the base and in both texts, or in a region that only one side changed or
both changed alike. If the changed regions of the two sides touch, there is no result.
"""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

MAX_LINES = 1000
"""Of a text that is merged. Matching repeated lines takes quadratic time."""

Lines = Sequence[str]


def merge_text(base: str, ours: str, theirs: str) -> str | None:
    """Apply both sides' changes to the base; None if they conflict."""
    texts = base.split("\n"), ours.split("\n"), theirs.split("\n")
    if max(map(len, texts)) > MAX_LINES:
        return None
    merged: list[str] = []
    done = [0, 0, 0]
    for starts, size in _common_regions(*texts):
        region = _merge_region(*(text[begin:end] for text, begin, end in zip(texts, done, starts, strict=True)))
        if region is None:
            return None
        merged += region
        merged += texts[0][starts[0] : starts[0] + size]
        done = [start + size for start in starts]
    return "\n".join(merged)


def _merge_region(base: Lines, ours: Lines, theirs: Lines) -> Lines | None:
    if ours in (base, theirs):
        return theirs
    return ours if theirs == base else None


def _common_regions(base: Lines, ours: Lines, theirs: Lines) -> Iterator[tuple[tuple[int, int, int], int]]:
    """Yield the regions that all three share, as (start in each, length). The last is an empty one at the end."""
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
