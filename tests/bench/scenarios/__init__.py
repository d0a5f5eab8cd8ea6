"""What is to be shown: a module for each part, with `async def run(on, say)`. Here are their names, in the order of the report."""

NAMES: tuple[str, ...] = (
    "writers",
    "capture",
    "calm",
    "busy",
    "burst",
    "peers",
    "many",
    "storm",
    "resume",
    "slow",
    "bulk",
    "growth_clients",
    "growth_log",
    "verify",
    "idle",
)
