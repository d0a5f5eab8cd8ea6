"""The first message of a WebSocket: the client's user, and the stream that the client requests."""

from feed.access.tokens import TokenError, Tokens
from feed.router import Router
from feed.wire.close_codes import BAD_MESSAGE, OVERLOADED, UNAUTHENTICATED, CloseReason
from feed.wire.principal import Principal
from feed.wire.protocol import Auth, BadMessageError


class AuthMessageError(Exception):
    """The connection must be closed, after an auth_error with this code."""

    def __init__(self, reason: CloseReason, *, code: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason
        self.code = code


async def verify_auth_message(text: str | None, router: Router, tokens: Tokens) -> tuple[Auth, Principal]:
    """Raises AuthMessageError. `text` is None for a binary message."""
    if text is None:
        raise AuthMessageError(BAD_MESSAGE, code="binary", text="messages are text")
    try:
        auth = router.parse(text)
    except BadMessageError as error:
        raise AuthMessageError(BAD_MESSAGE, code=error.code, text=str(error)) from None
    if not isinstance(auth, Auth):
        raise AuthMessageError(UNAUTHENTICATED, code="not_authenticated", text="the first message must be auth")
    try:
        principal = await tokens.verify(auth.token)
    except TokenError as error:
        reason = OVERLOADED if error.code == "keys_unavailable" else UNAUTHENTICATED
        raise AuthMessageError(reason, code=error.code, text=error.message) from None
    if principal.user_id != auth.userId:
        raise AuthMessageError(UNAUTHENTICATED, code="wrong_user", text="userId must be the token's subject")
    return auth, principal
