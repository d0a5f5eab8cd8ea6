"""The public keys of an external issuer, by their IDs (JWKS).

Invariant: a token whose key is known waits for nothing, whether the issuer answers or not. The others wait for one fetch, which
they share and which ends in time. Tokens with invented key IDs cause no more than one fetch per `_COOLDOWN`.
"""

import asyncio
import contextlib
import math
import threading
import time

import jwt
import structlog

FETCH_TIMEOUT = 8.0
"""Seconds to fetch the keys, however slow the issuer is."""
_SOCKET_TIMEOUT = 5
"""Seconds of silence after which a fetch fails."""
_REFRESH_AFTER = 300.0
"""Seconds after which the keys are fetched again: a key that the issuer has withdrawn is valid for that long."""
_MAX_AGE = 3600.0
"""Seconds for which keys stay valid while they cannot be fetched again."""
_COOLDOWN = 5.0
"""Seconds from one fetch to the next."""

log = structlog.get_logger()


class KeysUnavailableError(Exception):
    """The keys cannot be fetched now."""


class IssuerKeys:
    def __init__(self, url: str) -> None:
        # Its own caches are not used: it holds a lock while it waits for the issuer.
        self._client = jwt.PyJWKClient(url, cache_jwk_set=False, timeout=_SOCKET_TIMEOUT)
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched_at = -math.inf
        self._tried_at = -math.inf
        self._fetching: asyncio.Task[None] | None = None

    async def get(self, key_id: str | None) -> jwt.PyJWK:
        """Return the key with this ID. Raises KeysUnavailableError, and jwt.PyJWTError if the issuer has no such key."""
        if self._age > _REFRESH_AFTER:
            self._start_fetch()
        if (key := self._known(key_id)) is not None:
            return key
        self._start_fetch()
        if self._fetching is not None:
            await asyncio.wait({self._fetching})
        if (key := self._known(key_id)) is None:
            raise KeysUnavailableError if self._fetched_at < self._tried_at else jwt.PyJWKClientError("unknown kid")
        return key

    @property
    def _age(self) -> float:
        return time.monotonic() - self._fetched_at

    def _known(self, key_id: str | None) -> jwt.PyJWK | None:
        return self._keys.get(key_id or "") if self._age <= _MAX_AGE else None

    def _start_fetch(self) -> None:
        if self._fetching is None and time.monotonic() - self._tried_at >= _COOLDOWN:
            self._fetching = asyncio.create_task(self._fetch(), name="issuer keys")

    async def _fetch(self) -> None:
        self._tried_at = time.monotonic()
        try:
            async with asyncio.timeout(FETCH_TIMEOUT):
                keys = await self._fetch_in_thread()
        except Exception as error:  # noqa: BLE001 - whatever the issuer answers instead of keys
            log.warning("keys of the issuer not fetched", error=type(error).__name__)
        else:
            self._keys = {key.key_id: key for key in keys if key.key_id is not None}
            self._fetched_at = time.monotonic()
        finally:
            self._fetching = None

    async def _fetch_in_thread(self) -> list[jwt.PyJWK]:
        """Fetching blocks. A thread of its own delays neither the next fetch nor the end of the process if it hangs."""
        loop = asyncio.get_running_loop()
        fetched: asyncio.Future[list[jwt.PyJWK]] = loop.create_future()

        def settle(keys: list[jwt.PyJWK] | None, error: Exception | None) -> None:
            if fetched.done():
                return  # too late
            if error is not None:
                fetched.set_exception(error)
            elif keys is not None:
                fetched.set_result(keys)

        def fetch() -> None:
            keys, error = None, None
            try:
                keys = self._client.get_signing_keys()
            except Exception as failure:  # noqa: BLE001 - raised again in the event loop
                error = failure
            with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
                loop.call_soon_threadsafe(settle, keys, error)

        threading.Thread(target=fetch, name="issuer keys", daemon=True).start()
        return await fetched
