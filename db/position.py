"""Places of cards in their phase, as fractional index keys: base 62, in the order of their bytes.

The same keys as the `fractional-indexing` package that browsers use: an integer whose first letter tells its length,
then a fraction that does not end in zero. The server only appends; what goes between two cards the browser reckons.
"""

import re

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ZERO, _LAST = _DIGITS[0], _DIGITS[-1]
_SMALLEST = "A" + _ZERO * 26

PATTERN = r"^[A-Za-z][0-9A-Za-z]{1,199}$"
"""What every key looks like. `valid` asks for more."""

FIRST = "a0"


def valid(key: str) -> bool:
    if not re.fullmatch(PATTERN, key) or key == _SMALLEST:
        return False
    size = _size(key[0])
    return len(key) >= size and (len(key) == size or key[-1] != _ZERO)


def after(last: str | None) -> str:
    """Return a key that sorts behind `last`, the last of its phase (None: there is none)."""
    if last is None:
        return FIRST
    if not valid(last):
        return last + "V"  # an application's own order: stay behind it, whatever it means
    whole = last[: _size(last[0])]
    return _next(whole) or f"{last}V"


def _size(head: str) -> int:
    """How many characters the integer has that begins with this letter."""
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
