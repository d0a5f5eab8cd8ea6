"""A client whose network fails again and again, anywhere in a message, moving on to another transport each time."""

import random

import pytest

from tests.support.database import Database
from tests.support.load import version, versions, writing
from tests.support.services import Services
from tests.support.streams import TRANSPORTS, Message
from tests.support.until import until


@pytest.mark.parametrize("seed", range(3))
async def test_nothing_is_lost_twice_or_out_of_order(services: Services, database: Database, seed: int) -> None:
    choose = random.Random(seed)
    cursor: str | None = None
    seen: dict[int, Message] = {}

    def take(messages: list[Message]) -> None:
        for message in messages:
            if message.seq is not None:
                seen.setdefault(message.seq, message)

    async with writing(database) as load:
        for _ in range(40):
            client = await services.open(choose.choice(TRANSPORTS), cursor)
            enough = load.written + choose.randrange(12)
            await until(lambda enough=enough: load.written >= enough)  # type: ignore[misc]
            client.cut()
            take(client.messages)
            cursor = client.cursor
    last = await version(database)
    client = await services.open("websocket", cursor)
    while not seen or max(versions(list(seen.values()))) < last:
        await client.next_event()
        take(client.messages)
    told = versions(list(seen.values()))
    assert told == list(range(told[0], last + 1))
    assert last > 100
