"""The clients of a run: of every transport and habit, on the users that there are."""

import random

from tests.chaos.clients.client import Client
from tests.chaos.clients.profile import POLL, SSE_API, SSE_FEED, TRANSPORTS, WEBSOCKET, WEBSOCKET_BATCH, Profile
from tests.chaos.clients.target import Target
from tests.chaos.model import Journal, Population, World

HEARTBEAT = 3.0
"""Seconds, as the run sets BOARDCAST_HEARTBEAT_INTERVAL."""


def make_population(world: World, journal: Journal, rng: random.Random) -> list[Population]:
    """Make the clients; each has a source of randomness of its own, so that one does not change what another does."""
    target = Target(world, random.Random(rng.random()))
    silence = 2 * HEARTBEAT
    return [Client(world, journal, each, random.Random(rng.random()), target, silence) for each in profiles(world, rng)]


def profiles(world: World, rng: random.Random) -> list[Profile]:
    """Every user has at least two clients that see the same in different ways."""
    small = [board for board in world.boards if board != "bulk"]
    users = list(world.users)

    def user() -> str:
        """The next one, and all over again."""
        users.append(users.pop(0))
        return users[-1]

    def some() -> frozenset[str]:
        return frozenset(rng.sample(small, min(2, len(small))))

    return [
        Profile("ws-steady", user(), (WEBSOCKET,)),
        Profile("batch-steady", user(), (WEBSOCKET_BATCH,)),
        Profile("sse-steady", user(), (SSE_FEED,)),
        Profile("api-steady", user(), (SSE_API,)),
        Profile("poll-steady", user(), (POLL,)),
        Profile("hop-all", user(), TRANSPORTS, stay=4),
        Profile("hop-streams", user(), (WEBSOCKET, SSE_FEED, SSE_API), stay=3, snapshots=0.5),
        Profile("ws-cut", user(), (WEBSOCKET, WEBSOCKET_BATCH), stay=1.5),
        Profile("sse-cut", user(), (SSE_FEED, SSE_API), stay=1.5, wanted=some()),
        Profile("fickle", user(), (WEBSOCKET,), stay=20, wanted=some(), fickle=True),
        Profile("fickle-hop", user(), (WEBSOCKET_BATCH, WEBSOCKET, SSE_FEED), stay=6, wanted=some(), fickle=True),
        Profile("sleeper", user(), TRANSPORTS, stay=4, asleep=5),
        Profile("ws-slow", user(), (WEBSOCKET,), stay=40, slow=True),
        Profile("sse-slow", user(), (SSE_FEED, SSE_API), stay=30, slow=True, wanted=some()),
        Profile("looker", user(), (SSE_API,), stay=15, snapshots=2),
    ]
