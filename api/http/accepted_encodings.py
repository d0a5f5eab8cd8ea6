"""The Accept-Encoding header of a request."""

from starlette.datastructures import Headers


def accepted_encodings(headers: Headers) -> set[str]:
    """Return the names of the encodings that a client accepts."""
    found = set()
    for one in headers.get("Accept-Encoding", "").lower().split(","):
        name, _, quality = one.partition(";")
        if quality.replace(" ", "") not in {"q=0", "q=0.0"}:
            found.add(name.strip())
    return found
