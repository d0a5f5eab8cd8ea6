"""Whose connection it is, as far as that is known."""

from ipaddress import ip_network

import pytest

from feed.access.unauthenticated import client_address

PROXIES = (ip_network("127.0.0.0/8"), ip_network("10.0.0.0/8"))


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "address"),
    [
        ("203.0.113.7", None, "203.0.113.7"),
        ("203.0.113.7", "198.51.100.1", "203.0.113.7"),
        ("10.0.0.5", "198.51.100.1, 203.0.113.7", "203.0.113.7"),
        ("10.0.0.5", "203.0.113.7, 10.0.0.9", "203.0.113.7"),
        ("10.0.0.5", None, None),
        ("10.0.0.5", "10.0.0.9", None),
        ("10.0.0.5", "203.0.113.7, nonsense", None),
        ("::ffff:203.0.113.7", None, "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", None, "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", None, "2001:db8:1:2::/64"),
        ("", None, None),
    ],
)
def test_the_nearest_address_that_is_not_a_proxys(peer: str, forwarded_for: str | None, address: str | None) -> None:
    assert client_address((peer, 1234), forwarded_for, PROXIES) == address


def test_a_socket_without_an_address() -> None:
    assert client_address("/run/socket", None, PROXIES) is None
