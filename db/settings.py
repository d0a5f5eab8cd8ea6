"""The settings: read from the environment once at the start, and passed on by the caller.

There is no global instance. Code that needs a setting is given the object, so two servers with different settings fit into one
process.
"""

import contextlib
import os
import re
import secrets
import tempfile
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    BeforeValidator,
    ByteSize,
    Field,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    SecretStr,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

# If one of these is set, libpq needs no URL: with an empty one it reads them all, and passwords and service files too.
LIBPQ_VARIABLES = ("PGHOST", "PGSERVICE", "PGDATABASE")
LIBPQ_URL = "postgresql://"

# RFC 7518 3.2: a key shorter than the digest weakens HS256.
SHORTEST_SECRET = 32

_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/\s,*@?#]+", re.ASCII | re.IGNORECASE)

Port = Annotated[int, Field(ge=0, le=65535)]


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _split(value: object) -> object:
    if not isinstance(value, str):
        return value
    return tuple(part.strip().rstrip("/") for part in value.split(",") if part.strip())


class Settings(BaseSettings):
    """The environment variable of a field is its name with the prefix BOARDCAST_, or its alias."""

    model_config = SettingsConfigDict(
        env_prefix="BOARDCAST_",
        env_ignore_empty=True,
        populate_by_name=True,
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
    )

    database_url: str | None = Field(None, validation_alias="DATABASE_URL", repr=False)
    listen_database_url: str | None = Field(None, validation_alias="LISTEN_DATABASE_URL", repr=False)
    replica_url: str | None = Field(None, repr=False)
    max_replica_lag: PositiveFloat = 0.5

    host: str = "127.0.0.1"
    api_port: Port = 8000
    feed_port: Port = 8001
    data_dir: Path = Path(".boardcast")
    demo: bool = False
    origins: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)] = ()
    feed_url: str | None = None

    jwt_secret: SecretStr | None = Field(None, validation_alias="JWT_SECRET")
    jwt_jwks_url: str | None = Field(None, validation_alias="JWT_JWKS_URL")
    jwt_issuer: str | None = Field(None, validation_alias="JWT_ISSUER")
    jwt_audience: str | None = Field(None, validation_alias="JWT_AUDIENCE")

    resync_threshold: PositiveInt = 5000
    chunk_rows: PositiveInt = 1000
    max_resume_rows: PositiveInt = 200_000
    client_budget: ByteSize = ByteSize(512 * 1024)
    drain_timeout: NonNegativeFloat = 30.0
    max_user_connections: PositiveInt = 20
    max_connections: PositiveInt = 20_000
    connection_rate: PositiveInt = 1000
    max_unauthenticated: PositiveInt = 5000
    max_unauthenticated_per_address: PositiveInt = 400
    trusted_proxies: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)] = ()
    request_timeout: PositiveFloat = 10.0
    message_rate: PositiveInt = 100
    message_burst: PositiveInt = 2000
    max_boards: PositiveInt = 1000
    max_leases: PositiveInt = 100
    heartbeat_interval: PositiveFloat = 15.0
    read_interval: PositiveFloat = 1.0
    checkpoint_interval: NonNegativeFloat = 10.0
    notify_mode: Annotated[Literal["always", "adaptive"], BeforeValidator(_lower)] = "adaptive"

    log_level: Annotated[
        Literal["debug", "info", "warning", "error", "critical"],
        BeforeValidator(_lower),
    ] = Field("info", validation_alias="LOG_LEVEL")
    log_format: Annotated[Literal["auto", "json", "console"], BeforeValidator(_lower)] = Field(
        "auto", validation_alias="LOG_FORMAT"
    )

    @field_validator("database_url", "listen_database_url", "replica_url")
    @classmethod
    def _one_scheme(cls, url: str | None) -> str | None:
        """Replace the schemes that hosting services and SQLAlchemy use by `postgresql://`, the one that libpq knows."""
        if url is None:
            return None
        url = re.sub(r"^(postgres|postgresql\+psycopg)://", "postgresql://", url)
        if not url.startswith("postgresql://"):
            raise ValueError("must start with postgresql://")
        return url

    @field_validator("origins")
    @classmethod
    def _as_browsers_send(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        """Write origins as browsers do: in lowercase, without the default port."""
        for origin in origins:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError("must be origins such as https://board.example, separated by commas")
        return tuple(re.sub(r"^(http://.*):80$|^(https://.*):443$", r"\1\2", origin.lower()) for origin in origins)

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        for proxy in proxies:
            ip_network(proxy)  # raises ValueError
        return proxies

    @model_validator(mode="after")
    def _one_way_to_trust(self) -> Self:
        if self.jwt_secret and self.jwt_jwks_url:
            raise ValueError("set JWT_SECRET or JWT_JWKS_URL, not both")
        if self.jwt_secret and len(self.jwt_secret.get_secret_value().encode()) < SHORTEST_SECRET:
            raise ValueError(f"JWT_SECRET must be at least {SHORTEST_SECRET} bytes long")
        return self

    @property
    def database(self) -> str | None:
        """The database to connect to; None if none is named, so that the embedded one is used."""
        if self.database_url is not None:
            return self.database_url
        return LIBPQ_URL if any(os.environ.get(name) for name in LIBPQ_VARIABLES) else None

    @property
    def listen_database(self) -> str | None:
        """The address for LISTEN, which needs a direct connection: a transaction pooler cannot carry it."""
        return self.listen_database_url or self.database

    @property
    def api_url(self) -> str:
        return f"http://{self._reachable_host}:{self.api_port}"

    @property
    def public_feed_url(self) -> str:
        """The address at which browsers reach the feed."""
        return (self.feed_url or f"http://{self._reachable_host}:{self.feed_port}").rstrip("/")

    @property
    def allowed_origins(self) -> frozenset[str]:
        """The origins whose pages may open a stream: those named, otherwise the API's own under each of its local names."""
        if self.origins:
            return frozenset(self.origins)
        hosts = {self._reachable_host}
        if self._reachable_host in {"127.0.0.1", "localhost", "[::1]"}:
            hosts |= {"127.0.0.1", "localhost"}
        return frozenset(f"http://{host}:{self.api_port}" for host in hosts)

    @property
    def proxy_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The addresses whose X-Forwarded-For is believed: those named, and this machine's own."""
        return tuple(ip_network(proxy) for proxy in ("127.0.0.0/8", "::1", *self.trusted_proxies))

    @property
    def _reachable_host(self) -> str:
        """The host as an address to connect to, which "any" is not."""
        host = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104 (read, not bound)
        return f"[{host}]" if ":" in host else host

    def signing_secret(self) -> str | None:
        """JWT_SECRET, or in demo mode one that is created when first needed and shared by all processes on this data directory."""
        if self.jwt_secret is not None:
            return self.jwt_secret.get_secret_value()
        if not self.demo or self.jwt_jwks_url:
            return None
        return _kept_secret(self.data_dir / "jwt-secret")


def _kept_secret(path: Path) -> str:
    """Read the secret at `path`, and create it first if it is missing. If several processes create one, all read the same."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=".jwt-secret-") as draft:  # opens as 0600
            draft.write(secrets.token_urlsafe(48))
            draft.flush()
            with contextlib.suppress(FileExistsError):
                os.link(draft.name, path)  # a complete file or none: nobody reads half a secret
    return path.read_text().strip()
