"""All the faults there are, by name."""

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


def chosen(names: str) -> dict[str, type[Fault]]:
    """Those that a comma-separated list names; a name may end with `*`. Raises ValueError for one that is none."""
    if names in {"", "all"}:
        return FAULTS
    if names == "none":
        return {}
    found: dict[str, type[Fault]] = {}
    for name in (each.strip() for each in names.split(",")):
        fits = {
            key: kind
            for key, kind in FAULTS.items()
            if key == name or (name.endswith("*") and key.startswith(name[:-1]))
        }
        if not fits:
            raise ValueError(f"no fault is called {name!r}: there are {', '.join(FAULTS)}")
        found |= fits
    return found
