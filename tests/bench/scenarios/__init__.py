"""The scenarios: modules with `async def run(on, say)`. NAMES is in the order of the report."""

NAMES: tuple[str, ...] = (
    "writers",
    "capture",
    "low_rate",
    "high_rate",
    "burst",
    "peers",
    "many",
    "reconnect",
    "resume",
    "collapse",
    "slow",
    "bulk",
    "growth_clients",
    "growth_log",
    "verify",
    "idle",
    "board",
    "first_load",
)
