"""The metrics as text, for Prometheus. To write them takes some milliseconds of the event loop, which others need as well."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from feed.system.shared_result import SharedResult


class Exposition:
    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._texts: dict[str, SharedResult[bytes]] = {}
        """By content type. There are only a few."""

    async def read(self, accept: str) -> tuple[bytes, str]:
        """Return the metrics and their content type, in the format that an Accept header asks for."""
        encode, content_type = choose_encoder(accept)
        if content_type not in self._texts:
            self._texts[content_type] = SharedResult(lambda: self._write(encode))
        return await self._texts[content_type].get(), content_type

    async def _write(self, encode: Callable[[CollectorRegistry], bytes]) -> bytes:
        return encode(self._registry)
