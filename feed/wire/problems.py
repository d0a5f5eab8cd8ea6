"""What can be wrong with a request for a stream, on either service: a part of the API's table (RFC 9457's `type` by its slug)."""

from collections.abc import Mapping
from typing import NamedTuple


class Kind(NamedTuple):
    status: int
    title: str


INTERNAL = Kind(500, "Something went wrong here")
"""internal-error, of any request."""

STREAMS: Mapping[str, Kind] = {
    "unauthenticated": Kind(401, "A token is needed"),
    "invalid-token": Kind(401, "The token is not valid"),
    "expired-token": Kind(401, "The token has expired"),
    "invalid-ticket": Kind(401, "The ticket is unknown, used or over"),
    "wrong-origin": Kind(403, "Pages of this origin may not do this"),
    "not-offered": Kind(406, "You are not offered this transport now"),
    "too-many-connections": Kind(429, "You have too many connections"),
    "database-unavailable": Kind(503, "The database cannot be reached now"),
    "keys-unavailable": Kind(503, "The issuer's keys cannot be fetched now"),
    "overloaded": Kind(503, "This instance has no room for another stream"),
    "draining": Kind(503, "This instance is stopping"),
}
