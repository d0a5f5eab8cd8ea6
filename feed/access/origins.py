"""Which pages may use a service: those of the allowed origins, and of a numeric address, which no other site can have as its name.

Invariant: the page of another site cannot pass for ours. Its Origin differs, if only in its scheme. If its name was made to
resolve to this address (DNS rebinding), its Host differs.
"""

from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

from db.settings import Settings


def origin_allowed(headers: Mapping[str, str], settings: Settings) -> bool:
    """Return whether the request has no Origin, an allowed one, or that of the numeric address that was called."""
    origin, host = headers.get("Origin"), headers.get("Host", "")
    return origin is None or origin in settings.allowed_origins or (_is_numeric(host) and origin == f"http://{host}")


def known_hosts(settings: Settings) -> frozenset[str]:
    """Return the hosts of the settings, with their ports."""
    urls = {*settings.allowed_origins, settings.public_feed_url, settings.api_url}
    return frozenset(urlsplit(url).netloc for url in urls)


def host_allowed(headers: Mapping[str, str], known: frozenset[str]) -> bool:
    """Return whether Host is a known one, or a numeric address. HTTP/1.0 has none."""
    host = headers.get("Host")
    return host is None or host.lower().removesuffix(":443").removesuffix(":80") in known or _is_numeric(host)


def is_secure(scheme: str, headers: Mapping[str, str], settings: Settings) -> bool:
    """Return whether the browser used HTTPS. A proxy that ends TLS may be in another container, so the settings count, too."""
    origins = settings.origins
    return (
        scheme == "https"
        or f"https://{headers.get('Host')}" in origins
        or (bool(origins) and all(origin.startswith("https://") for origin in origins))
    )


def _is_numeric(host: str) -> bool:
    """Whether a Host is an IP address, or localhost, which browsers do not look up."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or bool(ip_address(name))
    except ValueError:
        return False
