"""The name of a request, by which what was logged of it is found: its sender's own, or one made here.

Invariant: what comes from outside can be put into a header, a line of the log and the database as it is.
"""

import re
import uuid

HEADER = "X-Request-ID"
_USABLE = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")


def named(given: str | None) -> str:
    """The name that was given, where it is usable."""
    return given if given is not None and _USABLE.fullmatch(given) else uuid.uuid4().hex
