"""Each attack, direct and through Caddy: the services' memory, the other clients, and what becomes of the attackers."""

import asyncio

import httpx
import pytest

from feed.system.tasks import end
from tests.hostile.attacks import ATTACKS, Attack, run
from tests.hostile.stage import MAX_GROWTH, Stage, attacker, sockets
from tests.support.streams import Client, EventStreamClient, WebSocketClient
from tests.support.until import until


@pytest.mark.parametrize("name", ATTACKS)
async def test_an_attack_costs_little_and_others_do_not_notice(stage: Stage, name: str) -> None:
    attack = ATTACKS[name]
    await _attack(stage, attack, stage.feed if attack.service == "feed" else stage.api, direct=True)


@pytest.mark.parametrize("name", [name for name, attack in ATTACKS.items() if attack.behind_proxy])
async def test_an_attack_through_a_proxy_costs_little_and_others_do_not_notice(stage: Stage, name: str) -> None:
    await _attack(stage, ATTACKS[name], stage.proxy, direct=False)


async def _attack(stage: Stage, attack: Attack, port: int, *, direct: bool) -> None:
    others = [
        await WebSocketClient.connect(stage.feed, stage.token("bruno"), "bruno"),
        await EventStreamClient.connect(stage.api, "/api/events", headers=_bearer(stage, "bruno")),
        await WebSocketClient.connect(stage.proxy, stage.token("bruno"), "bruno"),
    ]
    attacking: list[asyncio.Task[None]] = []
    with sockets() as opened:
        try:
            for other in others:
                await other.next("presence_state")
            before, descriptors = stage.memory(), stage.descriptors()
            clients = [await attacker(port, opened) for _ in range(attack.clients)]
            attacking += [asyncio.create_task(run(attack, client, port, stage.token("ana"))) for client in clients]
            rounds = 0
            while rounds < 3 or not all(task.done() for task in attacking):
                await _others_are_served(stage, others, attack.event_size)
                rounds += 1
            await asyncio.gather(*attacking)
            after = stage.memory()
            assert max(a - b for a, b in zip(after, before, strict=True)) < MAX_GROWTH
            if direct and attack.ends:
                most = descriptors + attack.clients // 2  # the services may have opened connections to their database
                await until(lambda: stage.descriptors() <= most, timeout=12, what="the attackers' end")
            if attack.named:
                assert any(name in client.received for name in attack.named for client in clients)
        finally:
            await end(*attacking)
            await asyncio.gather(*(other.close() for other in others))


async def _others_are_served(stage: Stage, others: list[Client], size: int) -> None:
    await stage.database.execute(
        f"UPDATE opportunities SET notes = md5(random()::text) || repeat('x', {size}) WHERE id = 'o1'"  # noqa: S608 - a number
    )
    for other in others:
        await other.next_event()
    async with httpx.AsyncClient(trust_env=False) as http:
        for port in (stage.feed, stage.api):
            assert (await http.get(f"http://127.0.0.1:{port}/readyz", timeout=5)).status_code == 200


def _bearer(stage: Stage, user: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {stage.token(user)}"}
