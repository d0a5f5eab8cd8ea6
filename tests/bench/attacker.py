"""Attacks a service for some seconds: `python -m tests.bench.attacker ATTACK PORT TOKEN SECONDS`, as tests.bench.hostile runs it.

Each connection of the attack is replaced by a new one a second after it has sent what it had to send. Prints "attacking" when
it starts, and the CPU seconds that it used when it ends.
"""

import asyncio
import contextlib
import sys
import time

from tests.hostile.attacks import ATTACKS, Attack, run
from tests.hostile.stage import attacker, sockets

LINGER = 1.0
"""Seconds for which a connection stays open, so that the service has something unread to keep."""


async def _repeat(attack: Attack, port: int, token: str) -> None:
    while True:
        with sockets() as opened, contextlib.suppress(OSError):
            client = await attacker(port, opened)
            await run(attack, client, port, token)
            await asyncio.sleep(LINGER)


async def attack_for(attack: Attack, port: int, token: str, seconds: float) -> None:
    """Attack until the time is over."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
            for _ in range(attack.clients):
                group.create_task(_repeat(attack, port, token))


def main() -> None:
    name, port, token, seconds = sys.argv[1:]
    sys.stdout.write("attacking\n")
    sys.stdout.flush()
    before = time.process_time()
    asyncio.run(attack_for(ATTACKS[name], int(port), token, float(seconds)))
    sys.stdout.write(str(time.process_time() - before))


if __name__ == "__main__":
    main()
