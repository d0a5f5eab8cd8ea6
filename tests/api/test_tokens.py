"""Tokens signed by boardcast or by an external issuer, and tickets."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from jwt.algorithms import OKPAlgorithm, RSAAlgorithm
from psycopg import AsyncConnection

from db import tickets
from db.settings import Settings
from feed.access.tokens import Principal, TokenError, Tokens
from tests.support.database import Database
from tests.support.until import until

RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
ED = ed25519.Ed25519PrivateKey.generate()


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    keys = [
        RSAAlgorithm.to_jwk(RSA.public_key(), as_dict=True) | {"kid": "rsa", "use": "sig", "alg": "RS256"},
        OKPAlgorithm.to_jwk(ED.public_key(), as_dict=True) | {"kid": "ed", "use": "sig", "alg": "EdDSA"},
    ]

    class Keys(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"keys": keys}).encode())

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Keys) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}/jwks.json"
        server.shutdown()
        serving.join()


async def refused(tokens: Tokens, token: str) -> str:
    with pytest.raises(TokenError) as caught:
        await tokens.verify(token)
    return caught.value.code


async def test_only_tokens_signed_with_the_issuers_keys_are_valid(issuer: str) -> None:
    tokens = Tokens(Settings(jwt_jwks_url=issuer, jwt_issuer="https://id.example", jwt_audience="boardcast"))
    expires = int(time.time()) + 60
    claims = {"sub": "u1", "iss": "https://id.example", "aud": "boardcast", "exp": expires}
    by_rsa = jwt.encode(claims | {"roles": ["dba", 5]}, RSA, "RS256", {"kid": "rsa"})
    principal = await tokens.verify(by_rsa)
    assert principal == Principal("u1", "u1", expires, frozenset({"dba"}))
    assert (await tokens.verify(jwt.encode(claims, ED, "EdDSA", {"kid": "ed"}))).user_id == "u1"
    assert not tokens.issues
    with pytest.raises(RuntimeError):
        tokens.issue("u1", "U", 60)
    for other in ({"iss": "https://evil.example"}, {"aud": "other"}, {"aud": None}, {"iss": None}):
        forged = {name: value for name, value in (claims | other).items() if value is not None}
        assert await refused(tokens, jwt.encode(forged, RSA, "RS256", {"kid": "rsa"})) == "token_invalid"
    expired = jwt.encode(claims | {"exp": 1}, RSA, "RS256", {"kid": "rsa"})
    assert await refused(tokens, expired) == "token_expired"
    another = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert await refused(tokens, jwt.encode(claims, another, "RS256", {"kid": "rsa"})) == "token_invalid"
    assert await refused(tokens, jwt.encode(claims, another, "RS256", {"kid": "unknown"})) == "token_invalid"
    assert await refused(tokens, jwt.encode(claims, "x" * 40, "HS256", {"kid": "rsa"})) == "token_invalid"


async def test_an_unreachable_issuer_does_not_make_the_token_invalid() -> None:
    tokens = Tokens(Settings(jwt_jwks_url="http://127.0.0.1:9/jwks.json"))
    token = jwt.encode({"sub": "u1", "exp": int(time.time()) + 60}, RSA, "RS256", {"kid": "rsa"})
    assert await refused(tokens, token) == "keys_unavailable"


async def test_an_issuer_that_never_answers_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("feed.access.issuer_keys.FETCH_TIMEOUT", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        tokens = Tokens(Settings(jwt_jwks_url=f"http://127.0.0.1:{silent.getsockname()[1]}/jwks.json"))
        token = jwt.encode({"sub": "u1", "exp": int(time.time()) + 60}, RSA, "RS256", {"kid": "rsa"})
        codes = await asyncio.gather(*(refused(tokens, token) for _ in range(5)))
        silent.setblocking(False)
        silent.accept()[0].close()
        with pytest.raises(BlockingIOError):
            silent.accept()  # they shared one request
    assert codes == ["keys_unavailable"] * 5


async def test_known_keys_are_used_while_the_issuer_is_down(issuer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = Tokens(Settings(jwt_jwks_url=issuer))
    claims = {"sub": "u1", "exp": int(time.time()) + 60}
    token = jwt.encode(claims, RSA, "RS256", {"kid": "rsa"})
    assert (await tokens.verify(token)).user_id == "u1"
    keys = tokens._keys
    assert keys is not None
    hanging, fetches = asyncio.Event(), 0

    async def hang() -> list[jwt.PyJWK]:
        nonlocal fetches
        fetches += 1
        await hanging.wait()
        raise ConnectionResetError

    monkeypatch.setattr(keys, "_fetch_in_thread", hang)
    monkeypatch.setattr("feed.access.issuer_keys._REFRESH_AFTER", 0)
    monkeypatch.setattr("feed.access.issuer_keys._COOLDOWN", 0)
    invented = jwt.encode(claims, RSA, "RS256", {"kid": "invented"})
    others = [asyncio.create_task(refused(tokens, invented)) for _ in range(10)]
    await until(lambda: fetches == 1)
    # Each of them ends without waiting: the event that all others wait for is not set.
    assert (await tokens.verify(token)).user_id == "u1"
    assert not any(other.done() for other in others)
    monkeypatch.setattr("feed.access.issuer_keys._COOLDOWN", 60)
    hanging.set()
    assert await asyncio.gather(*others) == ["keys_unavailable"] * 10
    assert (await refused(tokens, invented), fetches) == ("keys_unavailable", 1)
    monkeypatch.setattr("feed.access.issuer_keys._MAX_AGE", 0)
    assert await refused(tokens, token) == "keys_unavailable"


@pytest.mark.parametrize("exp", [253_402_300_800, 1e300, 2**63, "9999999999", True, None, [], 1e400])
async def test_an_exp_that_is_no_time_of_ours_is_invalid(exp: object) -> None:
    tokens = Tokens(Settings(jwt_secret="s" * 40))
    claims = json.dumps({"sub": "u1", "exp": exp}).encode()
    token = jwt.api_jws.encode(claims, "s" * 40, "HS256")
    assert await refused(tokens, token) in {"token_invalid", "token_expired"}
    latest = jwt.encode({"sub": "u1", "exp": 253_402_300_799}, "s" * 40)
    assert (await tokens.verify(latest)).expires == 253_402_300_799


async def test_malformed_text_is_an_invalid_token() -> None:
    tokens = Tokens(Settings(jwt_secret="s" * 40))
    deep = base64url(b"[" * 5000)
    for text in (
        "",
        ".",
        "..",
        f"{deep}.e30.x",
        "é.é.é",
        "\ud800.a.b",
        "e30.e30.x",
        "W10.e30.x",
        f"{base64url(b'null')}.a.b",
    ):
        assert await refused(tokens, text) == "token_invalid"
    huge = jwt.encode({"sub": "u", "exp": 10**400}, "s" * 40)
    assert await refused(tokens, huge) == "token_invalid"


def base64url(data: bytes) -> str:
    return jwt.utils.base64url_encode(data).decode()


def test_tokens_need_a_key() -> None:
    with pytest.raises(ValueError, match="JWT_SECRET"):
        Tokens(Settings())


async def test_a_ticket_is_valid_once(database: Database) -> None:
    session = time.time() + 60
    async with await AsyncConnection.connect(database.url, autocommit=True) as conn:
        ticket = await tickets.create(conn, "ana", "Ana", {"dba"}, session)
        rows = await database.execute("SELECT hash FROM feed.tickets")
        assert rows[0]["hash"] != ticket
        found = await tickets.redeem(conn, ticket)
        assert found is not None
        assert found[:3] == ("ana", "Ana", frozenset({"dba"}))
        assert found.expires == pytest.approx(session)
        assert await tickets.redeem(conn, ticket) is None
        for wrong in ("", "nope", "x" * 5000, "é", "a\0b"):
            assert await tickets.redeem(conn, wrong) is None


async def test_a_ticket_expires_soon_and_with_its_session(database: Database) -> None:
    later = time.time() + 60
    async with await AsyncConnection.connect(database.url, autocommit=True) as conn:
        expired = await tickets.create(conn, "ana", "Ana", (), later, ttl=timedelta(seconds=-1))
        assert await tickets.redeem(conn, expired) is None
        session_expired = await tickets.create(conn, "ana", "Ana", (), time.time() - 1)
        assert await tickets.redeem(conn, session_expired) is None
        await tickets.create(conn, "ana", "Ana", (), later, ttl=timedelta(seconds=-1))
        await tickets.create(conn, "ana", "Ana", (), later)
        rows = await database.execute("SELECT count(*) FROM feed.tickets")
        assert rows[0]["count"] == 1


async def test_a_ticket_redeemed_twice_at_once_is_valid_once(database: Database) -> None:
    async with (
        await AsyncConnection.connect(database.url) as one,
        await AsyncConnection.connect(database.url) as two,
    ):
        ticket = await tickets.create(one, "ana", "Ana", (), time.time() + 60)
        await one.commit()
        assert await tickets.redeem(one, ticket) is not None
        second = asyncio.create_task(tickets.redeem(two, ticket))
        await one.commit()
        assert await second is None
        await two.commit()
