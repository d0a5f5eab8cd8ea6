"""Which pages may use a service, and whether their cookies are for HTTPS only."""

import pytest

from db.settings import Settings
from feed.access.origins import host_allowed, is_secure, known_hosts, origin_allowed

LOCAL = Settings()
PUBLIC = LOCAL.model_copy(update={"origins": ("https://board.example",), "feed_url": "https://feed.example"})


@pytest.mark.parametrize(
    ("settings", "origin", "host", "allowed"),
    [
        (LOCAL, None, "evil.example:8000", True),
        (LOCAL, "http://127.0.0.1:8000", "127.0.0.1:8000", True),
        (LOCAL, "http://localhost:8000", "127.0.0.1:8001", True),
        (LOCAL, "http://192.0.2.7:8000", "192.0.2.7:8000", True),
        (LOCAL, "http://[::1]:8000", "[::1]:8000", True),
        (LOCAL, "https://192.0.2.7:8000", "192.0.2.7:8000", False),
        (LOCAL, "http://evil.example:8000", "evil.example:8000", False),
        (LOCAL, "http://evil.example:8000", "127.0.0.1:8000", False),
        (LOCAL, "null", "127.0.0.1:8000", False),
        (LOCAL, "http://", "", False),
        (LOCAL, "http://[", "[", False),
        (PUBLIC, "https://board.example", "board.example", True),
        (PUBLIC, "http://board.example", "board.example", False),
        (PUBLIC, "https://board.example.evil.example", "board.example", False),
    ],
)
def test_the_origin_has_the_scheme_and_the_name_of_an_allowed_one(
    settings: Settings, origin: str | None, host: str, allowed: bool
) -> None:
    headers = {"Host": host} | ({} if origin is None else {"Origin": origin})
    assert origin_allowed(headers, settings) is allowed


@pytest.mark.parametrize(
    ("settings", "host", "allowed"),
    [
        (LOCAL, None, True),
        (LOCAL, "localhost:8000", True),
        (LOCAL, "10.0.0.1", True),
        (LOCAL, "[::1]:8000", True),
        (LOCAL, "evil.example", False),
        (LOCAL, "localhost.evil.example:8000", False),
        (LOCAL, "127.0.0.1.evil.example", False),
        (LOCAL, "", False),
        (LOCAL, "[", False),
        (LOCAL, "a@127.0.0.1:8000", True),  # no name that could be looked up
        (PUBLIC, "board.example", True),
        (PUBLIC, "Board.example:443", True),
        (PUBLIC, "feed.example", True),
        (PUBLIC, "board.example:8000", False),
        (PUBLIC, "evil.example", False),
    ],
)
def test_the_host_is_a_number_or_known(settings: Settings, host: str | None, allowed: bool) -> None:
    assert host_allowed({} if host is None else {"Host": host}, known_hosts(settings)) is allowed


@pytest.mark.parametrize(
    ("origins", "scheme", "host", "secure"),
    [
        ((), "http", "127.0.0.1:8000", False),
        ((), "https", "127.0.0.1:8000", True),
        (("https://board.example",), "http", "board.example", True),
        (("https://board.example",), "http", "api-1:8000", True),
        (("https://board.example", "http://localhost:3000"), "http", "board.example", True),
        (("https://board.example", "http://localhost:3000"), "http", "localhost:3000", False),
    ],
)
def test_cookies_are_secure_if_the_public_address_is(
    origins: tuple[str, ...], scheme: str, host: str, secure: bool
) -> None:
    assert is_secure(scheme, {"Host": host}, LOCAL.model_copy(update={"origins": origins})) is secure
