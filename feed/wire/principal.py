"""Who is asking: what a verified token says of its holder, and nothing else."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Principal:
    user_id: str
    name: str
    expires: float
    """When the token ends, in seconds since the epoch: no connection outlives it."""
    roles: frozenset[str] = frozenset()
