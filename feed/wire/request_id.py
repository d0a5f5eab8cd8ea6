"""The ID of a request, by which its log lines can be found: the one its sender chose, or a new one.

Invariant: an ID can safely be put into a header, a log line and the database.
"""

import re
import uuid

HEADER = "X-Request-ID"
_USABLE = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")


def resolve(given: str | None) -> str:
    """Return the sender's ID if it is valid, or else a new one."""
    return given if given is not None and _USABLE.fullmatch(given) else uuid.uuid4().hex
