"""A client: it follows the protocol's rules, comes back from wherever it was cut, and journals everything that it is sent."""

import asyncio
import random
from contextlib import suppress
from typing import Any

from tests.chaos.clients import profile as transports
from tests.chaos.clients.cursor import Cursor
from tests.chaos.clients.eventstream import EventStream
from tests.chaos.clients.holdings import BoardRows, Holdings
from tests.chaos.clients.profile import OFFERED, Profile
from tests.chaos.clients.rest import Rest, RestError
from tests.chaos.clients.scribe import Scribe
from tests.chaos.clients.snapshots import Snapshots
from tests.chaos.clients.stream import EndedError, Message, Stream
from tests.chaos.clients.target import Target
from tests.chaos.clients.websocket import WebSocketStream
from tests.chaos.model import Endpoint, Journal, World

_BUFFER = 4096
_LONGEST_RETRY = 2.0


class Client:
    """A `Population` of tests/chaos/model.py. `silence`: seconds without a message after which a stream is dead."""

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
        self._scribe = Scribe(journal, profile.name, profile.user)
        self._snapshots = Snapshots(world, self.holdings, self._rest, self._scribe, rng, profile)
        self._offered = "websocket"
        self._subscribing: set[str] = set()
        self._settling = asyncio.Event()
        self._begun = False
        """Whether this connection's first `auth_success` has come: a later one only answers a new token."""
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
        """Stay connected, and wait until everything that has been written is here."""
        self._settling.set()
        self._snapshots.calm = True
        if self._staying is not None:
            with suppress(RuntimeError):
                self._staying.reschedule(None)
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                newest = await self._target.get(self._rest)
                while not self._settled:
                    await asyncio.sleep(0.1)
                    self._settled = self._has(newest)

    def _has(self, newest: Cursor) -> bool:
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
        self._scribe.note("final", body, None if cursor is None else cursor.text)

    async def _live(self) -> None:
        while True:
            wait = await self._session()
            if self.profile.asleep and not self._settling.is_set():
                wait += self._rng.expovariate(1 / self.profile.asleep)
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._settling.wait()
                    # There is nothing to wait for any more but the service's own request.
                    await asyncio.sleep(min(wait, 0.3))

    async def _session(self) -> float:
        """One connection, or a time of polling; how many seconds to wait before the next."""
        allowed = [each for each in self.profile.transports if each in OFFERED[self._offered]] or [transports.POLL]
        transport = self._rng.choice(allowed)
        endpoint = self._rng.choice([each for each in self._world.endpoints() if _serves(each, transport)])
        self._scribe.begin(endpoint.name, transport)
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
                    self._take_page(since, limit, answer)
            except RestError as error:
                self._scribe.note(
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
                if self._offered != answer["realtime"]:
                    self._offered = answer["realtime"]
                    return
            await asyncio.sleep(0.2 if self._settling.is_set() else self._rng.uniform(0.1, 1.0))

    def _take_page(self, since: str | None, limit: int | None, answer: dict[str, Any]) -> None:
        rows, cursor = answer["opportunities"], answer["lastSync"]
        if since is None:
            self.holdings.everything(rows, cursor)
        else:
            self.holdings.page(rows, answer["deletedIds"], cursor, more=answer["hasMore"])
        self._scribe.note("page", {"since": since, "limit": limit, "answer": answer}, cursor, applied=True)

    async def _follow(self, endpoint: Endpoint, transport: str, wait: float) -> float:
        cursor = None if self.holdings.cursor is None else self.holdings.cursor.text
        wanted = None if self.holdings.wanted is None else sorted(self.holdings.wanted)
        self._scribe.note("connect", {"boards": wanted}, cursor)
        self._begun = False
        self._subscribing.clear()
        self._snapshots.waiting.clear()
        stream: Stream | None = None
        reason: dict[str, Any] = {"reason": "left", "code": None}
        tasks: list[asyncio.Task[None]] = []
        try:
            stream = await self._open(endpoint, transport, cursor, wanted)
            if transport in {transports.WEBSOCKET, transports.WEBSOCKET_BATCH}:
                tasks.append(asyncio.create_task(self._talk(stream)))
            messages = stream.messages()
            while True:
                async with asyncio.timeout(self._silence):
                    message = await anext(messages)
                if message.kind == "goodbye":
                    wait = max(wait, min(message.body["retryMs"] / 1000, _LONGEST_RETRY))
                await self._take(message, transport)
                if self.profile.slow and not self._settling.is_set():
                    await self._dawdle()
        except EndedError as error:
            reason = {"reason": str(error), "code": error.code}
            if error.code in {406, 4406}:
                self._offered = "poll"
        except TimeoutError:
            reason = {"reason": "silence", "code": None}
        finally:
            for task in tasks:
                task.cancel()
            held = self.holdings.cut()
            self._scribe.note("cut", reason | {"held": held})
            if stream is not None:
                await self._leave(stream)
        return wait

    async def _leave(self, stream: Stream) -> None:
        if self._rng.random() < 0.7:
            await stream.cut()
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                await stream.close()
        await stream.cut()

    async def _open(self, endpoint: Endpoint, transport: str, cursor: str | None, wanted: list[str] | None) -> Stream:
        buffer = _BUFFER if self.profile.slow else None
        user, token = self.profile.user, self._token
        if transport in {transports.WEBSOCKET, transports.WEBSOCKET_BATCH}:
            batch = transport == transports.WEBSOCKET_BATCH
            url = endpoint.feed_ws or ""
            return await WebSocketStream.open(url, token, user, cursor, wanted, batch=batch, buffer=buffer)
        url = (endpoint.feed_sse or "") if transport == transports.SSE_FEED else f"{endpoint.api}/api/events"
        return await EventStream.open(url, token, cursor, wanted, transport=transport, buffer=buffer, rng=self._rng)

    async def _take(self, message: Message, transport: str) -> None:
        body, kind, holdings = message.body, message.kind, self.holdings
        if kind == "auth_success" and not self._begun:
            self._begun = True
            self._offered = body["realtime"]
            if body["resume"] == "live":
                holdings.begin(body["boards"], message.cursor)
            holdings.visible, holdings.unlisted = set(body["boards"]), False
            applied = body["resume"] == "live"
        elif kind == "reset":
            holdings.begin(body["boards"], message.cursor)
            applied = True
        else:
            applied = holdings.receive(body, message.cursor)
        self._scribe.note(kind, body, message.cursor, applied=applied)
        if kind == "checkpoint":
            self._compare(body, message.cursor or "")
        elif kind == "subscribed":
            # It has no cursor that a snapshot could be measured by.
            self._snapshots.fresh |= self._subscribing
            holdings.subscribed(self._subscribing, body["boards"])
            self._snapshots.waiting -= self._subscribing
            self._subscribing.clear()
        elif kind == "flags":
            self._offered = body["realtime"]
            if transport not in OFFERED[self._offered]:
                raise EndedError("another transport is offered")
        elif kind == "auth_error":
            raise EndedError(f"auth_error {body['code']}")

    def _compare(self, body: dict[str, Any], cursor: str) -> None:
        """Compare a board with its checkpoint, and take it anew where it is not the same."""
        name = body["boardId"]
        board = self.holdings.boards.get(name, BoardRows())
        stood = self.holdings.cursor
        exact = self.holdings.wants(name) and stood is not None and board.exact_at(stood)
        count, hashed = board.state() if exact else (0, "")
        expected = {"count": body["count"], "hash": body["hash"]}
        held = {"count": count, "hash": hashed}
        rows = {key: row["version_number"] for key, row in board.rows.items()} if exact and held != expected else {}
        self._scribe.note(
            "compare", {"board": name, "exact": exact, "expected": expected, "held": held, "rows": rows}, cursor
        )
        if exact and held != expected:
            self.holdings.request(name)
            self._snapshots.fresh.add(name)

    async def _talk(self, stream: Stream) -> None:
        """Ask for checkpoints, say what has been applied, and change what is followed."""
        with suppress(EndedError):
            while True:
                await asyncio.sleep(1.0 if self._settling.is_set() else self._rng.uniform(0.5, 3.0))
                cursor, boards = self.holdings.cursor, sorted(self.holdings.boards)
                if cursor is None:
                    continue
                if boards:
                    await stream.send({"type": "checkpoint", "boardId": self._rng.choice(boards)})
                if self._rng.random() < 0.3:
                    await stream.send({"type": "ping", "cursor": cursor.text})
                if self._rng.random() < 0.1:
                    token = self._world.token(self.profile.user)
                    await stream.send({"type": "auth", "token": token, "userId": self.profile.user})
                if self.profile.fickle and not self._settling.is_set() and not self._subscribing:
                    await self._change_boards(stream)

    async def _change_boards(self, stream: Stream) -> None:
        wanted, holdings = self.holdings.wanted, self.holdings
        if wanted is None:
            return
        others = [board for board in self._world.boards if board not in wanted and board != "bulk"]
        if len(wanted) > 1 and (not others or self._rng.random() < 0.5):
            board = self._rng.choice(sorted(wanted))
            self._scribe.note("unsubscribing", {"boards": [board]})
            wanted.discard(board)
            holdings.absent(board)
            await stream.send({"type": "unsubscribe", "boards": [board]})
        elif others:
            board = self._rng.choice(others)
            self._scribe.note("subscribing", {"boards": [board]})
            wanted.add(board)
            # Its snapshot is taken after `subscribed`, or after the next connection has begun.
            holdings.request(board)
            self._subscribing = {board}
            self._snapshots.waiting = {board}
            await stream.send({"type": "subscribe", "boards": [board]})

    async def _dawdle(self) -> None:
        if self._rng.random() < 0.01:
            await asyncio.sleep(self._rng.uniform(1, 3))
        else:
            await asyncio.sleep(0.005)


def _serves(endpoint: Endpoint, transport: str) -> bool:
    if transport in {transports.SSE_API, transports.POLL}:
        return endpoint.api is not None
    return (endpoint.feed_sse if transport == transports.SSE_FEED else endpoint.feed_ws) is not None
