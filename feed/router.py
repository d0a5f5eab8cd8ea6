"""The message router: passes each client message to the handler of its type.

Invariant: a message that cannot be parsed or handled gets an error response, and affects only its sender.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import psycopg
from psycopg_pool import PoolTimeout

from db.gap_reports import BoardDigest
from db.presence import Place
from feed.access.tokens import TokenError
from feed.delivery.subscription import Subscription
from feed.runtime import Runtime
from feed.wire.protocol import (
    Auth,
    BadMessageError,
    Checkpoint,
    Gap,
    Incoming,
    Ping,
    StoppedViewing,
    Subscribe,
    Unsubscribe,
    UserEditing,
    UserStoppedEditing,
    Viewing,
    parse,
)

Handler = Callable[[Any, Subscription], Awaitable[None]]


class UnauthenticatedError(Exception):
    """Renewing the token failed, so the stream must end. `code` is that of the auth_error."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class Router:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._handlers: dict[str, Handler] = {
            "auth": self._auth,
            "subscribe": self._subscribe,
            "unsubscribe": self._unsubscribe,
            "user_editing": self._user_editing,
            "user_stopped_editing": self._user_stopped_editing,
            "viewing": self._viewing,
            "stopped_viewing": self._stopped_viewing,
            "ping": self._ping,
            "checkpoint": self._checkpoint,
            "gap": self._gap,
        }

    def parse(self, data: str) -> Incoming:
        """Parse and count a message. Raises BadMessageError."""
        try:
            message = parse(data)
        except BadMessageError:
            self._runtime.metrics.messages.labels("invalid").inc()
            raise
        self._runtime.metrics.messages.labels(message.type).inc()
        return message

    async def route(self, data: str, subscription: Subscription) -> None:
        """Handle one message. Raises BadMessageError if it is not a message at all, and UnauthenticatedError."""
        try:
            message = self.parse(data)
            await self._handlers[message.type](message, subscription)
        except BadMessageError as error:
            if error.code == "invalid_json":
                raise
            subscription.send("error", code=error.code, message=str(error))
        except (psycopg.Error, PoolTimeout, TimeoutError):
            subscription.send("error", code="unavailable", message="the database cannot be reached now: try again")

    async def _auth(self, message: Auth, subscription: Subscription) -> None:
        """Renew the token."""
        try:
            principal = await self._runtime.tokens.verify(message.token)
        except TokenError as error:
            if error.code == "keys_unavailable":
                # The new token may be fine, and the previous one is still valid.
                subscription.send("error", code=error.code, message=error.message)
                return
            raise UnauthenticatedError(error.code, error.message) from error
        if not principal.user_id == message.userId == subscription.principal.user_id:
            raise UnauthenticatedError("wrong_user", "the token is not of this user")
        subscription.principal = principal
        self._runtime.send_auth_success(subscription)

    async def _subscribe(self, message: Subscribe, subscription: Subscription) -> None:
        if subscription.requested is not None:
            requested = subscription.requested | frozenset(message.boards)
            if len(requested) > max(self._runtime.settings.max_boards, len(subscription.requested)):
                self._refuse(subscription, "boards", "unsubscribe from other boards first", code="too_many_boards")
                return
            self._runtime.set_boards(subscription, requested)
        subscription.send_unknown_boards(set(message.boards) - subscription.permitted_boards)
        self._runtime.send_subscribed(subscription)

    async def _unsubscribe(self, message: Unsubscribe, subscription: Subscription) -> None:
        requested = subscription.visible if subscription.requested is None else subscription.requested
        self._runtime.set_boards(subscription, requested - frozenset(message.boards))
        self._runtime.send_subscribed(subscription)

    async def _user_editing(self, message: UserEditing, subscription: Subscription) -> None:
        await self._claim(subscription, Place(message.opportunityId), "editing", message.baseVersion)

    async def _user_stopped_editing(self, message: UserStoppedEditing, subscription: Subscription) -> None:
        await self._runtime.presence.release(subscription, Place(message.opportunityId))

    async def _viewing(self, message: Viewing, subscription: Subscription) -> None:
        if message.opportunityId is not None:
            await self._claim(subscription, Place(message.opportunityId), "viewing")
        elif message.boardId is not None:
            # In this order, so that a user who closes a card is never shown as away.
            await self._claim(subscription, Place(board_id=message.boardId), "viewing")
            for card in self._runtime.presence.cards_viewed(subscription):
                await self._runtime.presence.release(subscription, card)
        else:
            await self._runtime.presence.release(subscription)

    async def _stopped_viewing(self, message: StoppedViewing, subscription: Subscription) -> None:
        await self._runtime.presence.release(subscription, Place(board_id=message.boardId))

    async def _ping(self, message: Ping, subscription: Subscription) -> None:
        subscription.send("pong")
        if message.cursor is not None:
            try:
                self._runtime.client_positions.record(subscription, message.cursor)
            except ValueError as error:
                raise BadMessageError("invalid_message", f"cursor: {error}") from None

    async def _checkpoint(self, message: Checkpoint, subscription: Subscription) -> None:
        if message.boardId in subscription.permitted_boards:
            self._runtime.checkpoints.request(subscription, message.boardId)
        else:
            subscription.send_unknown_boards([message.boardId])

    async def _gap(self, message: Gap, subscription: Subscription) -> None:
        board, expected, held = message.boardId, message.expected, message.held
        if board not in subscription.permitted_boards:
            subscription.send_unknown_boards([board])
            return
        self._runtime.checkpoints.request_recount(board)
        await self._runtime.gap_reports.report(
            subscription.principal.user_id,
            subscription.id,
            board,
            message.cursor,
            BoardDigest(expected.count, expected.hash),
            BoardDigest(held.count, held.hash),
        )

    async def _claim(self, subscription: Subscription, place: Place, action: str, base: int | None = None) -> None:
        if not self._runtime.presence.has_room(subscription, place, self._runtime.settings.max_leases):
            self._refuse(subscription, "leases", "stop viewing or editing other places first", code="too_many_leases")
            return
        if await self._runtime.presence.claim(subscription, place, action, base):
            return
        if place.board_id is not None:
            subscription.send_unknown_boards([place.board_id])
        else:
            may = "edit" if action == "editing" else "see"
            text = f"there is no opportunity {place.opportunity_id!r} that you can {may}"
            subscription.send("error", code="unknown_opportunity", message=text)

    def _refuse(self, subscription: Subscription, limit: str, advice: str, *, code: str) -> None:
        """Answer a message that would exceed a limit; it has no effect."""
        self._runtime.metrics.limited.labels(limit).inc()
        subscription.send("error", code=code, message=f"this stream has too many {limit}: {advice}")
