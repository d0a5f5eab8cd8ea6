"""The user behind a verified token."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Principal:
    user_id: str
    name: str
    expires: float
    """When the token expires, in seconds since the epoch. No connection outlives it."""
    roles: frozenset[str] = frozenset()
