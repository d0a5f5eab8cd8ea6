"""All faults by name."""

from tests.chaos.faults import (
    administration,
    backends,
    clocks,
    disk,
    failover,
    networks,
    processes,
    servers,
    tables,
)
from tests.chaos.faults.fault import Fault

_FAMILIES = (backends, networks, processes, servers, failover, administration, tables, clocks, disk)

FAULTS: dict[str, type[Fault]] = {kind.name: kind for family in _FAMILIES for kind in family.KINDS}


def select(names: str) -> dict[str, type[Fault]]:
    """The faults in a comma-separated list; a name may end with `*`. Raises ValueError for an unknown name."""
    if names in {"", "all"}:
        return FAULTS
    if names == "none":
        return {}
    found: dict[str, type[Fault]] = {}
    for name in (each.strip() for each in names.split(",")):
        matching = {
            key: kind
            for key, kind in FAULTS.items()
            if key == name or (name.endswith("*") and key.startswith(name[:-1]))
        }
        if not matching:
            raise ValueError(f"unknown fault {name!r}; choose from {', '.join(FAULTS)}")
        found |= matching
    return found
