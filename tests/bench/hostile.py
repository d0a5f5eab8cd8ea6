"""How long other clients wait during each attack of tests/hostile: `python -m tests.bench.hostile [--seconds N] [ATTACK...]`.

The attacker, the feed, the API, Caddy and PostgreSQL run as processes of their own. This one writes changes, and has the clients
that receive them (see others.py). Before each attack it measures the same without the attack. Events are times from a write to
the last of three clients; requests, those of GET /readyz on both services. Printed are ms: p50, p99 and the maximum during the
attack, those of the calm before it, and the ratio of the two p99.

All of these processes share this machine, which an attacker elsewhere does not: on two cores, what the attacker computes is
missing to everybody else. The columns of CPU time show how much: 100 is one core.
"""

import argparse
import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from rich.console import Console

from db import migrate
from db.embedded.server import ephemeral_postgres
from tests.bench.others import Times, measure, others
from tests.bench.process import Process
from tests.bench.quantile import at
from tests.cli.harness import COMMAND
from tests.hostile.attacks import ATTACKS
from tests.hostile.services import attacked
from tests.hostile.stage import Stage
from tests.support.database import Database

CALM_SECONDS = 3.0
GOAL = 100.0
"""Milliseconds that the p99 of others should stay under."""

console = Console(highlight=False, markup=False, soft_wrap=True)


class Shares(NamedTuple):
    """CPU time per second, in percent of a core."""

    attacker: float
    feed: float
    api: float
    proxy: float


@contextmanager
def stage() -> Iterator[Stage]:
    with ephemeral_postgres() as server:
        migrate.upgrade(server.url())
        with attacked(Database(server.url(), "postgres"), program=(COMMAND,)) as running:
            yield running


async def under_attack(stage: Stage, name: str, port: int, seconds: float) -> tuple[Times, Times, Shares]:
    """Return the times of others before and during an attack."""
    attack = ATTACKS[name]
    services = [Process(pid) for pid in (*stage.pids, stage.proxy_pid)]
    async with others(stage) as clients:
        calm = await measure(stage, clients, CALM_SECONDS, attack.event_size)
        command = (name, str(port), stage.token("ana"), str(seconds))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.bench.attacker", *command), stdout=asyncio.subprocess.PIPE
        )
        try:
            assert process.stdout is not None
            await process.stdout.readline()
            before = [service.cpu() for service in services]
            times = await measure(stage, clients, seconds, attack.event_size)
            used = [service.cpu() - cpu for service, cpu in zip(services, before, strict=True)]
            output, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            raise RuntimeError(f"the attacker failed: {name}")
    return calm, times, Shares(*(100 * cpu / seconds for cpu in (float(output), *used)))


def row(name: str, way: str, calm: Times, times: Times, shares: Shares) -> str:
    cells = [f"{name:30}{way:7}"]
    for during, before in ((times.events, calm.events), (times.requests, calm.requests)):
        ordered, quiet = sorted(during), sorted(before)
        p99, calm_p99 = at(ordered, 0.99), at(quiet, 0.99)
        cells.append(
            f"{at(ordered, 0.5):7.1f}{p99:7.1f}{ordered[-1]:7.1f}{at(quiet, 0.5):8.1f}{calm_p99:7.1f}{p99 / calm_p99:6.1f}x"
        )
    cells.append("".join(f"{share:6.0f}" for share in shares))
    if times.refused:
        cells.append(f"  {times.refused} requests not answered")
    return " ".join(cells)


async def run(names: list[str], seconds: float) -> list[str]:
    """Return the attacks during which others wait too long."""
    missed = []
    titles = " " * 3 + "p50    p99    max    calm:50   99   ratio"
    console.print(f"{'':37}{'events: ' + titles:44} {'requests: ' + titles:44} CPU: attacker feed api caddy")
    with stage() as running:
        for name in names:
            direct = running.feed if ATTACKS[name].service == "feed" else running.api
            ways = {"direct": direct} | ({"caddy": running.proxy} if ATTACKS[name].behind_proxy else {})
            for way, port in ways.items():
                calm, times, shares = await under_attack(running, name, port, seconds)
                console.print(row(name, way, calm, times, shares))
                if at(sorted(times.events), 0.99) >= GOAL:
                    missed.append(f"{name} ({way})")
    return missed


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.hostile", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="ATTACK", help=", ".join(ATTACKS))
    parser.add_argument("--seconds", type=float, default=6.0, help="seconds that each attack lasts")
    chosen = parser.parse_args()
    if unknown := [name for name in chosen.names if name not in ATTACKS]:
        parser.error(f"unknown: {', '.join(unknown)}; choose from {', '.join(ATTACKS)}")
    missed = asyncio.run(run(chosen.names or list(ATTACKS), chosen.seconds))
    console.print(f"p99 of events under {GOAL:g} ms: " + (f"not during {', '.join(missed)}" if missed else "always"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
