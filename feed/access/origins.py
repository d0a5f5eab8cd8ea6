"""Which pages may use a service: those of the allowed origins, and of an address that cannot be somebody else's name.

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


def host_allowed(headers: Mapping[str, str], settings: Settings) -> bool:
    """Return whether Host is a numeric address, or one of the settings. HTTP/1.0 has none."""
    host = headers.get("Host")
    if host is None or _is_numeric(host):
        return True
    known = {*settings.allowed_origins, settings.public_feed_url, settings.api_url}
    return host.lower().removesuffix(":443").removesuffix(":80") in {urlsplit(url).netloc for url in known}


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
