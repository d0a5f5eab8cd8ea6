"""A client is cut off repeatedly, at any point of a message, and resumes on another transport each time."""

import random

import pytest

from tests.support.database import Database
from tests.support.load import card_version, versions, writing
from tests.support.services import Services
from tests.support.streams import TRANSPORTS, Message
from tests.support.until import until


@pytest.mark.parametrize("seed", range(3))
async def test_a_client_that_is_cut_off_repeatedly_misses_and_reorders_nothing(
    services: Services, database: Database, seed: int
) -> None:
    rng = random.Random(seed)
    cursor: str | None = None
    seen: dict[int, Message] = {}

    def collect(messages: list[Message]) -> None:
        for message in messages:
            if message.seq is not None:
                seen.setdefault(message.seq, message)

    async with writing(database) as load:
        for _ in range(40):
            client = await services.open(rng.choice(TRANSPORTS), cursor)
            enough = load.written + rng.randrange(12)
            await until(lambda enough=enough: load.written >= enough)  # type: ignore[misc]
            client.cut()
            collect(client.messages)
            cursor = client.cursor
    last = await card_version(database)
    client = await services.open("websocket", cursor)
    while not seen or max(versions(list(seen.values()))) < last:
        await client.next_event()
        collect(client.messages)
    received = versions(list(seen.values()))
    assert received == list(range(received[0], last + 1))
    assert last > 100
