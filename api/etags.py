"""Entity tags: a card's is its version, ``"v9"``; a board's a digest of what it shows."""

import re

from starlette.requests import Request

from api.problems import Problem

_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_VERSION = re.compile(r"v([1-9][0-9]{0,17})", re.ASCII)

ANY = None
NEVER = 0
"""No card has it: what a well-formed tag says that was not ours."""


def of(version: int) -> str:
    return f'"v{version}"'


def expected(request: Request) -> int | None:
    """Return the version that If-Match names; ANY for ``*``."""
    header = request.headers.get("If-Match")
    if header is None:
        raise Problem("if-match-required")
    header = header.strip()
    if header == "*":
        return ANY
    tag = _TAG.fullmatch(header)
    if tag is None:
        raise Problem("invalid-if-match")
    version = _VERSION.fullmatch(tag[2])
    # If-Match compares strongly, and a weak tag is equal to none (RFC 9110, 13.1.1).
    return int(version[1]) if version and not tag[1] else NEVER


def matches(request: Request, tag: str) -> bool:
    """Tell whether If-None-Match names this tag, compared weakly."""
    header = request.headers.get("If-None-Match", "").strip()
    wanted = _TAG.fullmatch(tag)
    return header == "*" or any(wanted and given[2] == wanted[2] for given in _TAG.finditer(header))
