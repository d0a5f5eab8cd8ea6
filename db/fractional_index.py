"""Fractional index keys: the order of cards in their phase, in base 62, sorted by bytes.

The same keys as those of the `fractional-indexing` package that browsers use: an integer whose first letter says its length, then a
fraction that does not end in zero. The server only appends; browsers compute the keys between two cards.
"""

import re

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ZERO, _LAST = _DIGITS[0], _DIGITS[-1]
_SMALLEST = "A" + _ZERO * 26

PATTERN = r"^[A-Za-z][0-9A-Za-z]{1,199}$"
"""What every key looks like. `is_valid` checks more."""

FIRST = "a0"


def is_valid(key: str) -> bool:
    if not re.fullmatch(PATTERN, key) or key == _SMALLEST:
        return False
    size = _size(key[0])
    return len(key) >= size and (len(key) == size or key[-1] != _ZERO)


def key_after(last: str | None) -> str:
    """Return a key that sorts after `last`, the last of its phase (None: the phase is empty)."""
    if last is None:
        return FIRST
    if not is_valid(last):
        return last + "V"  # an application's own order: sort after it, whatever it means
    whole = last[: _size(last[0])]
    return _next(whole) or f"{last}V"


def _size(head: str) -> int:
    """The length of an integer that begins with this letter."""
    return ord(head) - ord("a") + 2 if head >= "a" else ord("Z") - ord(head) + 2


def _next(whole: str) -> str | None:
    head, digits = whole[0], whole[1:]
    kept = digits.rstrip(_LAST)
    if kept:
        return head + kept[:-1] + _DIGITS[_DIGITS.index(kept[-1]) + 1] + _ZERO * (len(digits) - len(kept))
    if head == "z":
        return None
    if head == "Z":
        return FIRST
    head = chr(ord(head) + 1)
    return head + _ZERO * (_size(head) - 1)
