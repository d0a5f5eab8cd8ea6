"""Entity tags: the version of a card or a board, such as ``"v9"``, the digest of a snapshot, or the role of a member."""

import re

from starlette.requests import Request

from api.http.problems import Problem

_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_VERSION = re.compile(r"v([1-9][0-9]{0,17})(-[0-9]+)?", re.ASCII)

ANY_VERSION = None
NO_VERSION = 0
"""Matches no card: the If-Match header is well-formed, but is not one of our tags."""


def for_version(version: int) -> str:
    return f'"v{version}"'


def for_card(version: int, details_version: int | None) -> str:
    """The tag of a card as it is read. If-Match looks at the version only."""
    return for_version(version) if details_version is None else f'"v{version}-{details_version}"'


def expected_version(request: Request) -> int | None:
    """Return the version that If-Match requires; ANY_VERSION for ``*``."""
    header = request.headers.get("If-Match")
    if header is None:
        raise Problem("if-match-required")
    header = header.strip()
    if header == "*":
        return ANY_VERSION
    tag = _TAG.fullmatch(header)
    if tag is None:
        raise Problem("invalid-if-match")
    version = _VERSION.fullmatch(tag[2])
    # If-Match uses the strong comparison, in which a weak tag matches nothing (RFC 9110, section 13.1.1).
    return int(version[1]) if version and not tag[1] else NO_VERSION


def expected_role(request: Request) -> str | None:
    """Return the role of a member that If-Match requires, such as "editor"; None for ``*``."""
    header = request.headers.get("If-Match")
    if header is None:
        raise Problem("if-match-required")
    header = header.strip()
    if header == "*":
        return None
    tag = _TAG.fullmatch(header)
    if tag is None:
        raise Problem("invalid-if-match")
    return "" if tag[1] else tag[2]


def is_not_modified(request: Request, tag: str) -> bool:
    """Return whether If-None-Match names this tag, by weak comparison."""
    header = request.headers.get("If-None-Match", "").strip()
    current = _TAG.fullmatch(tag)
    return header == "*" or any(current and given[2] == current[2] for given in _TAG.finditer(header))
