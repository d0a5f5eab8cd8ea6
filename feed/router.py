"""The event router: what a client says goes to the handler of its type.

Invariant: a message that cannot be read or has no handler is answered, and touches nobody but its sender.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from feed.protocol import Auth, BadMessageError, Ping, Subscribe, Unsubscribe, parse
from feed.runtime import Runtime
from feed.subscription import Subscription
from feed.tokens import TokenError

Handler = Callable[[Any, Subscription], Awaitable[None]]


class UnauthenticatedError(Exception):
    """A renewal that failed: the stream must end. `code` is that of an auth_error."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class Router:
    def __init__(self) -> None:
        self._handlers: dict[str, Handler] = {}

    def register(self, kind: str, handler: Handler) -> None:
        """Handle messages of a type."""
        self._handlers[kind] = handler

    async def route(self, data: str, subscription: Subscription) -> None:
        """Take one message. Raises BadMessageError for what is no message at all, UnauthenticatedError."""
        try:
            message = parse(data)
        except BadMessageError as error:
            if error.code == "invalid_json":
                raise
            subscription.tell("error", code=error.code, message=str(error))
        else:
            await self._handlers[message.type](message, subscription)


def make_router(runtime: Runtime) -> Router:
    """The router with the handlers of the protocol."""

    async def auth(message: Auth, subscription: Subscription) -> None:
        try:
            principal = await runtime.tokens.verify(message.token)
        except TokenError as error:
            raise UnauthenticatedError(error.code, error.message) from error
        if not principal.user_id == message.userId == subscription.principal.user_id:
            raise UnauthenticatedError("wrong_user", "the token is not of this user")
        subscription.principal = principal
        runtime.greet(subscription)

    async def subscribe(message: Subscribe, subscription: Subscription) -> None:
        if subscription.wanted is not None:
            runtime.look(subscription, subscription.wanted | frozenset(message.boards))
        for board in sorted(set(message.boards) - subscription.boards):
            subscription.tell("error", code="unknown_board", message=f"there is no board {board!r} that you can see")
        subscription.tell("subscribed", boards=sorted(subscription.boards))

    async def unsubscribe(message: Unsubscribe, subscription: Subscription) -> None:
        wanted = subscription.boards if subscription.wanted is None else subscription.wanted
        runtime.look(subscription, wanted - frozenset(message.boards))
        subscription.tell("subscribed", boards=sorted(subscription.boards))

    async def ping(_: Ping, subscription: Subscription) -> None:
        subscription.tell("pong")

    router = Router()
    router.register("auth", auth)
    router.register("subscribe", subscribe)
    router.register("unsubscribe", unsubscribe)
    router.register("ping", ping)
    return router
