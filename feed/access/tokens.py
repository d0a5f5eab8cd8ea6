"""JSON Web Tokens: verified by both services, issued only if this service holds the secret.

Invariant: `verify` returns a Principal only for a token with a subject that has not expired and is signed with one of the
pinned algorithms and a key from the settings. Anything else raises TokenError and no other exception.
"""

import time
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import jwt

from db.settings import Settings
from feed.access.issuer_keys import IssuerKeys, KeysUnavailableError
from feed.wire.principal import Principal

__all__ = ["Principal", "TokenError", "Tokens"]

_MAX_LENGTH = 8192
_MAX_NAME_LENGTH = 200
_LEEWAY = 10.0
_MAX_EXPIRES = 253_402_300_799
"""The end of the year 9999, in seconds since 1970. Python and PostgreSQL have no later time in common."""
_REQUIRED = ("exp", "sub")
_BY_JWKS = ("RS256", "EdDSA")
_BY_SECRET = ("HS256",)


class TokenError(Exception):
    """A token was rejected; `code` is token_expired, token_invalid or keys_unavailable."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Tokens:
    def __init__(self, settings: Settings) -> None:
        self._issuer = settings.jwt_issuer
        self._audience = settings.jwt_audience
        self._secret = None if settings.jwt_jwks_url else settings.signing_secret()
        self._keys = IssuerKeys(settings.jwt_jwks_url) if settings.jwt_jwks_url else None
        if self._keys is None and self._secret is None:
            raise ValueError("tokens cannot be verified: set JWT_SECRET or JWT_JWKS_URL")

    @property
    def issues(self) -> bool:
        """Whether issue() is available."""
        return self._secret is not None

    async def verify(self, token: str) -> Principal:
        if not token or len(token) > _MAX_LENGTH:
            raise TokenError("token_invalid", f"the token is empty or longer than {_MAX_LENGTH} characters")
        try:
            if self._keys is None:
                return self._decode(token, self._secret, _BY_SECRET)
            key = await self._keys.get(jwt.get_unverified_header(token).get("kid"))
            return self._decode(token, key, _BY_JWKS)
        except TokenError:
            raise
        except jwt.ExpiredSignatureError:
            raise TokenError("token_expired", "the token has expired") from None
        except KeysUnavailableError as error:
            raise TokenError("keys_unavailable", "the issuer's keys cannot be fetched now") from error
        # Besides PyJWT's own errors: what hostile JSON causes in its parser (nesting, invalid text, huge numbers).
        except (jwt.PyJWTError, ValueError, OverflowError, RecursionError, TypeError, AttributeError) as error:
            raise TokenError("token_invalid", "the token is not valid") from error

    def issue(self, user_id: str, name: str, ttl: timedelta | float, roles: Iterable[str] = ()) -> str:
        """Issue a token that expires after `ttl` (seconds). Raises RuntimeError without a secret."""
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
            # The audience is checked only if the settings name ours.
            options={"require": list(_REQUIRED), "verify_aud": self._audience is not None},
        )
        expires = _expiry(claims["exp"])
        # The leeway is for issuers with a fast clock. An expired token is never accepted: its connections are being closed.
        if expires <= time.time():
            raise TokenError("token_expired", "the token has expired")
        user_id = _text_claim(claims["sub"], "sub")
        roles = claims.get("roles")
        named = roles if isinstance(roles, list) else []
        return Principal(
            user_id=user_id,
            name=_text_claim(claims.get("name") or user_id, "name"),
            expires=expires,
            roles=frozenset(role for role in named if isinstance(role, str)),
        )


def _expiry(value: object) -> float:
    """Return `exp` in seconds since 1970. PyJWT also takes a string, or `true`."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not value <= _MAX_EXPIRES:
        raise TokenError("token_invalid", "the token's exp is not a time up to the year 9999")
    return float(value)


def _text_claim(value: object, claim: str) -> str:
    """Return a claim as text that PostgreSQL can store."""
    if not isinstance(value, str) or not 0 < len(value) <= _MAX_NAME_LENGTH or "\0" in value:
        raise TokenError("token_invalid", f"the token's {claim} is not a usable text")
    value.encode()  # raises UnicodeEncodeError, a ValueError, for a lone surrogate
    return value
