"""The clients of a run: every transport and behavior, spread over all users."""

import random

from tests.chaos.clients.client import Client
from tests.chaos.clients.profile import POLL, SSE_API, SSE_FEED, TRANSPORTS, WEBSOCKET, WEBSOCKET_BATCH, Profile
from tests.chaos.clients.target import Target
from tests.chaos.model import ChaosClient, Journal, World

HEARTBEAT = 3.0
"""Seconds; the run's BOARDCAST_HEARTBEAT_INTERVAL."""


def make_population(world: World, journal: Journal, rng: random.Random) -> list[ChaosClient]:
    """Make the clients. Each has its own random generator, so that clients do not influence each other."""
    target = Target(world, random.Random(rng.random()))
    silence = 2 * HEARTBEAT
    return [Client(world, journal, each, random.Random(rng.random()), target, silence) for each in profiles(world, rng)]


def profiles(world: World, rng: random.Random) -> list[Profile]:
    """Every user has at least two clients with different transports or behaviors."""
    small = [board for board in world.boards if board != "bulk"]
    users = list(world.users)

    def user() -> str:
        """The next user, in a cycle."""
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
        Profile("resubscribing", user(), (WEBSOCKET,), stay=20, wanted=some(), resubscribes=True),
        Profile(
            "resubscribing-hop",
            user(),
            (WEBSOCKET_BATCH, WEBSOCKET, SSE_FEED),
            stay=6,
            wanted=some(),
            resubscribes=True,
        ),
        Profile("sleeper", user(), TRANSPORTS, stay=4, offline=5),
        Profile("ws-slow", user(), (WEBSOCKET,), stay=40, slow=True),
        Profile("sse-slow", user(), (SSE_FEED, SSE_API), stay=30, slow=True, wanted=some()),
        Profile("snapshots", user(), (SSE_API,), stay=15, snapshots=2),
    ]
