"""Entity tags: a card's is its version, ``"v9"``."""

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


def unchanged(request: Request, version: int) -> bool:
    """Tell whether If-None-Match names this version."""
    header = request.headers.get("If-None-Match", "").strip()
    return header == "*" or any(tag[2] == f"v{version}" for tag in _TAG.finditer(header))
