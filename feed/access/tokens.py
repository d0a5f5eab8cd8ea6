"""JSON Web Tokens: verified on both services, issued only where the secret is ours.

Invariant: a Principal comes out of `verify` only for a signature by one of the pinned algorithms, made with a key that
the settings name, on a token that has a subject and has not ended. All else is a TokenError, never another exception.
"""

import asyncio
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import jwt

from db.settings import Settings
from feed.wire.principal import Principal

__all__ = ["Principal", "TokenError", "Tokens"]

_LONGEST = 8192
_LONGEST_NAME = 200
_LEEWAY = 10.0
_SOCKET_TIMEOUT = 5
"""Seconds of silence after which an issuer is given up."""
KEYS_TIMEOUT = 8.0
"""Seconds to get a key, however slowly the issuer answers and however many others wait for one."""
_REQUIRED = ("exp", "sub")
_BY_JWKS = ("RS256", "EdDSA")
_BY_SECRET = ("HS256",)


class TokenError(Exception):
    """Why a token was not taken; `code` is one of token_expired, token_invalid, keys_unavailable."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Tokens:
    def __init__(self, settings: Settings) -> None:
        self._issuer = settings.jwt_issuer
        self._audience = settings.jwt_audience
        self._secret = None if settings.jwt_jwks_url else settings.signing_secret()
        self._keys: jwt.PyJWKClient | None = None
        if settings.jwt_jwks_url:
            self._keys = jwt.PyJWKClient(settings.jwt_jwks_url, timeout=_SOCKET_TIMEOUT)
            # Fetching keys blocks. One thread of its own, so that an issuer that hangs holds up nothing but its tokens.
            self._thread = ThreadPoolExecutor(1, "jwks")
        elif self._secret is None:
            raise ValueError("set JWT_SECRET or JWT_JWKS_URL: without one of them no token can be checked")

    @property
    def issues(self) -> bool:
        """Whether `issue` works here."""
        return self._secret is not None

    async def verify(self, token: str) -> Principal:
        if not token or len(token) > _LONGEST:
            raise TokenError("token_invalid", "the token is empty or too long")
        try:
            if self._keys is None:
                return self._decode(token, self._secret, _BY_SECRET)
            async with asyncio.timeout(KEYS_TIMEOUT):
                key = await asyncio.get_running_loop().run_in_executor(
                    self._thread, self._keys.get_signing_key_from_jwt, token
                )
            return self._decode(token, key, _BY_JWKS)
        except TokenError:
            raise
        except jwt.ExpiredSignatureError:
            raise TokenError("token_expired", "the token has expired") from None
        except (jwt.PyJWKClientConnectionError, TimeoutError) as error:
            raise TokenError("keys_unavailable", "the issuer's keys cannot be fetched now") from error
        # Beside PyJWT's own: what hostile JSON does to its parser (nesting, bytes that are no text, huge numbers).
        except (jwt.PyJWTError, ValueError, OverflowError, RecursionError, TypeError, AttributeError) as error:
            raise TokenError("token_invalid", "the token is not valid") from error

    def issue(self, user_id: str, name: str, ttl: timedelta | float, roles: Iterable[str] = ()) -> str:
        """Make a token that ends after `ttl` (seconds). Only with a secret of our own; else RuntimeError."""
        if self._secret is None:
            raise RuntimeError("tokens come from the issuer behind JWT_JWKS_URL")
        now = int(time.time())
        seconds = ttl.total_seconds() if isinstance(ttl, timedelta) else ttl
        claims: dict[str, Any] = {"sub": user_id, "name": name, "iat": now, "exp": now + int(seconds)}
        if roles:
            claims["roles"] = sorted(roles)
        if self._issuer:
            claims["iss"] = self._issuer
        if self._audience:
            claims["aud"] = self._audience
        return jwt.encode(claims, self._secret, algorithm=_BY_SECRET[0])

    def _decode(self, token: str, key: Any, algorithms: tuple[str, ...]) -> Principal:
        claims = jwt.decode(
            token,
            key,
            algorithms=list(algorithms),
            issuer=self._issuer,
            audience=self._audience,
            leeway=_LEEWAY,
            # A token made for someone else's audience is only refused where we know our own.
            options={"require": list(_REQUIRED), "verify_aud": self._audience is not None},
        )
        expires = float(claims["exp"])
        # The leeway is for an issuer whose clock is ahead. Past its end no token is good: its connections are closed then.
        if expires <= time.time():
            raise TokenError("token_expired", "the token has expired")
        user_id = _text(claims["sub"], "sub")
        roles = claims.get("roles")
        named = roles if isinstance(roles, list) else []
        return Principal(
            user_id=user_id,
            name=_text(claims.get("name") or user_id, "name"),
            expires=expires,
            roles=frozenset(role for role in named if isinstance(role, str)),
        )


def _text(value: object, claim: str) -> str:
    """Return the claim as text that PostgreSQL can hold."""
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_NAME or "\0" in value:
        raise TokenError("token_invalid", f"the token's {claim} is not a usable text")
    value.encode()  # a lone surrogate is a UnicodeEncodeError, and so a ValueError
    return value
