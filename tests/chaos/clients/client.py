"""A client that follows the protocol, reconnects after every cut, and records everything that it receives."""

import asyncio
import random
from contextlib import suppress
from typing import Any

from tests.chaos.clients import profile as transports
from tests.chaos.clients.client_journal import ClientJournal
from tests.chaos.clients.client_messages import ClientMessages
from tests.chaos.clients.cursor import Cursor
from tests.chaos.clients.holdings import BoardRows, Holdings
from tests.chaos.clients.opening import WEBSOCKETS, open_stream, serves
from tests.chaos.clients.profile import ALLOWED, Profile
from tests.chaos.clients.rest import Rest, RestError
from tests.chaos.clients.snapshots import Snapshots
from tests.chaos.clients.stream import EndedError, Message, Stream
from tests.chaos.clients.target import Target
from tests.chaos.model import Endpoint, Journal, World

_BUFFER = 4096
_LONGEST_RETRY = 2.0


class Client:
    """A `ChaosClient` of tests/chaos/model.py. A stream without a message for `silence` seconds counts as dead."""

    def __init__(
        self, world: World, journal: Journal, profile: Profile, rng: random.Random, target: Target, silence: float
    ) -> None:
        self.name = profile.name
        self.profile = profile
        self.holdings = Holdings(None if profile.wanted is None else set(profile.wanted))
        self._world = world
        self._rng = rng
        self._target = target
        self._silence = silence
        self._token = world.token(profile.user)
        self._rest = Rest(self._token)
        self._journal = ClientJournal(journal, profile.name, profile.user)
        self._snapshots = Snapshots(world, self.holdings, self._rest, self._journal, rng, profile)
        self._best_transport = "websocket"
        self._outgoing = ClientMessages(world, self.holdings, self._snapshots, self._journal, rng, profile)
        self._settling = asyncio.Event()
        self._authenticated = False
        """Whether this connection's first `auth_success` was received: later ones only confirm a new token."""
        self._staying: asyncio.Timeout | None = None
        self._settled = False

    async def run(self, stop: asyncio.Event) -> None:
        stopped = asyncio.create_task(stop.wait())
        working = [asyncio.create_task(self._live()), asyncio.create_task(self._snapshots.run())]
        try:
            await asyncio.wait([stopped, *working], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (stopped, *working):
                task.cancel()
            results = await asyncio.gather(*working, return_exceptions=True)
            await self._rest.close()
            self._note_final()
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def settle(self, timeout: float) -> None:
        """Stay connected, and wait until everything written so far is received."""
        self._settling.set()
        self._snapshots.settling = self._outgoing.settling = True
        if self._staying is not None:
            with suppress(RuntimeError):
                self._staying.reschedule(None)
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                newest = await self._target.get(self._rest)
                while not self._settled:
                    await asyncio.sleep(0.1)
                    self._settled = self._has_reached(newest)

    def _has_reached(self, newest: Cursor) -> bool:
        cursor = self.holdings.cursor
        return (
            cursor is not None
            and cursor.covers(newest)
            and cursor.feed == newest.feed
            and not self.holdings.held
            and not self.holdings.unlisted
            and all(board.complete_at(cursor) for board in self.holdings.boards.values())
        )

    def _note_final(self) -> None:
        boards = {name: board.rows for name, board in self.holdings.boards.items()}
        body = {"boards": boards, "pending": self.holdings.pending(), "settled": self._settled}
        cursor = self.holdings.cursor
        self._journal.note("final", body, None if cursor is None else cursor.text)

    async def _live(self) -> None:
        while True:
            wait = await self._session()
            if self.profile.offline and not self._settling.is_set():
                wait += self._rng.expovariate(1 / self.profile.offline)
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._settling.wait()
                    # While settling, only a retry delay of the service is waited for.
                    await asyncio.sleep(min(wait, 0.3))

    async def _session(self) -> float:
        """Run one connection or one period of polling, and return the seconds to wait before the next."""
        possible = [each for each in self.profile.transports if each in ALLOWED[self._best_transport]] or [
            transports.POLL
        ]
        transport = self._rng.choice(possible)
        endpoint = self._rng.choice([each for each in self._world.endpoints() if serves(each, transport)])
        self._journal.begin(endpoint.name, transport)
        self._snapshots.polling = transport == transports.POLL
        stay = (
            None
            if self.profile.stay is None or self._settling.is_set()
            else self._rng.expovariate(1 / self.profile.stay)
        )
        wait = self._rng.uniform(0.05, 0.4)
        try:
            async with asyncio.timeout(stay) as self._staying:
                if transport == transports.POLL:
                    await self._poll(endpoint)
                else:
                    wait = await self._follow(endpoint, transport, wait)
        except TimeoutError:
            pass
        finally:
            self._staying = None
        return wait

    async def _poll(self, endpoint: Endpoint) -> None:
        holdings, failures = self.holdings, 0
        while failures < 2:
            since = None if holdings.cursor is None else holdings.cursor.text
            limit = self._rng.choice([None, 1, 3, 20, 200]) if since is not None else None
            try:
                async with self._snapshots.lock:
                    answer = await self._rest.page(endpoint.api or "", since, limit)
                    self._apply_page(since, limit, answer)
            except RestError as error:
                self._journal.note(
                    "refused", {"status": error.status, "text": str(error), "since": since, "problem": error.problem}
                )
                if error.slug == "cursor-reset":
                    holdings.begin([], None)
                    continue
                failures += 1
            else:
                failures = 0
                if answer["hasMore"]:
                    continue
                if self._best_transport != answer["realtime"]:
                    self._best_transport = answer["realtime"]
                    return
            await asyncio.sleep(0.2 if self._settling.is_set() else self._rng.uniform(0.1, 1.0))

    def _apply_page(self, since: str | None, limit: int | None, answer: dict[str, Any]) -> None:
        rows, cursor = answer["opportunities"], answer["lastSync"]
        if since is None:
            self.holdings.replace_all(rows, cursor)
        else:
            self.holdings.page(rows, answer["deletedIds"], cursor, more=answer["hasMore"])
        self._journal.note("page", {"since": since, "limit": limit, "answer": answer}, cursor, applied=True)

    async def _follow(self, endpoint: Endpoint, transport: str, wait: float) -> float:
        cursor = None if self.holdings.cursor is None else self.holdings.cursor.text
        wanted = None if self.holdings.wanted is None else sorted(self.holdings.wanted)
        self._journal.note("connect", {"boards": wanted}, cursor)
        self._authenticated = False
        self._outgoing.begin()
        stream: Stream | None = None
        reason: dict[str, Any] = {"reason": "disconnected", "code": None}
        tasks: list[asyncio.Task[None]] = []
        try:
            stream = await open_stream(
                endpoint,
                transport,
                user=self.profile.user,
                token=self._token,
                cursor=cursor,
                boards=wanted,
                buffer=_BUFFER if self.profile.slow else None,
                rng=self._rng,
            )
            if transport in WEBSOCKETS:
                tasks.append(asyncio.create_task(self._outgoing.run(stream)))
            messages = stream.messages()
            while True:
                async with asyncio.timeout(self._silence):
                    message = await anext(messages)
                if message.kind == "goodbye":
                    wait = max(wait, min(message.body["retryMs"] / 1000, _LONGEST_RETRY))
                await self._receive(message, transport)
                if self.profile.slow and not self._settling.is_set():
                    await self._read_slowly()
        except EndedError as error:
            reason = {"reason": str(error), "code": error.code}
            if error.code in {406, 4406}:
                self._best_transport = "poll"
        except TimeoutError:
            reason = {"reason": "silence", "code": None}
        finally:
            for task in tasks:
                task.cancel()
            held = self.holdings.cut()
            self._journal.note("cut", reason | {"held": held})
            if stream is not None:
                await self._disconnect(stream)
        return wait

    async def _disconnect(self, stream: Stream) -> None:
        if self._rng.random() < 0.7:
            await stream.cut()
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                await stream.close()
        await stream.cut()

    async def _receive(self, message: Message, transport: str) -> None:
        body, kind, holdings = message.body, message.kind, self.holdings
        if kind == "auth_success" and not self._authenticated:
            self._authenticated = True
            self._best_transport = body["realtime"]
            if body["resume"] == "live":
                holdings.begin(body["boards"], message.cursor)
            holdings.visible, holdings.unlisted = set(body["boards"]), False
            applied = body["resume"] == "live"
        elif kind == "reset":
            holdings.begin(body["boards"], message.cursor)
            applied = True
        else:
            applied = holdings.receive(body, message.cursor)
        self._journal.note(kind, body, message.cursor, applied=applied)
        if kind == "checkpoint":
            self._compare(body, message.cursor or "")
        elif kind == "subscribed":
            self._outgoing.subscribed(body["boards"])
        elif kind == "error" and body["code"] == "unknown_board":
            self._outgoing.refused()
        elif kind == "flags":
            self._best_transport = body["realtime"]
            if transport not in ALLOWED[self._best_transport]:
                raise EndedError("the transport is not allowed any more")
        elif kind == "auth_error":
            raise EndedError(f"auth_error {body['code']}")

    def _compare(self, body: dict[str, Any], cursor: str) -> None:
        """Compare a board with its checkpoint, and request a new snapshot if they differ."""
        name = body["boardId"]
        board = self.holdings.boards.get(name, BoardRows())
        position = self.holdings.cursor
        exact = self.holdings.wants(name) and position is not None and board.exact_at(position)
        count, hashed = board.state() if exact else (0, "")
        expected = {"count": body["count"], "hash": body["hash"]}
        held = {"count": count, "hash": hashed}
        rows = {key: row["version_number"] for key, row in board.rows.items()} if exact and held != expected else {}
        self._journal.note(
            "compare", {"board": name, "exact": exact, "expected": expected, "held": held, "rows": rows}, cursor
        )
        if exact and held != expected:
            self._outgoing.gaps.append({"boardId": name, "cursor": cursor, "expected": expected, "held": held})
            self.holdings.request(name)
            self._snapshots.fresh.add(name)

    async def _read_slowly(self) -> None:
        if self._rng.random() < 0.01:
            await asyncio.sleep(self._rng.uniform(1, 3))
        else:
            await asyncio.sleep(0.005)
