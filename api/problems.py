"""Everything that can go wrong, as one table: what a client may rely on is the slug (RFC 9457's `type`) and the status.

The documentation, /openapi.json and the tests read this table; no answer is made of a slug that is not in it.
"""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from api.json import dumps
from feed.wire.problems import INTERNAL, STREAMS, Kind

PROBLEMS: Mapping[str, Kind] = {
    **STREAMS,
    "invalid-json": Kind(400, "The body is not usable JSON"),
    "invalid-if-match": Kind(400, 'If-Match must be one entity tag such as "v9", or *'),
    "invalid-mutation-id": Kind(400, "X-Mutation-Id must be 1 to 200 printable ASCII characters"),
    "read-only": Kind(403, "Your role on this board does not allow writing"),
    "dba-only": Kind(403, "This needs a token with the role dba"),
    "not-found": Kind(404, "There is nothing at this address"),
    "unknown-board": Kind(404, "There is no such board among yours"),
    "unknown-opportunity": Kind(404, "There is no such opportunity on your boards"),
    "unknown-version": Kind(404, "There is no such version"),
    "unknown-change": Kind(404, "There is no such change in the log"),
    "no-demo": Kind(404, "Signing in by name is for the demo only"),
    "method-not-allowed": Kind(405, "This address does not know the method"),
    "conflict": Kind(409, "What is there already does not allow this"),
    "merge-conflict": Kind(409, "Both sides changed the same: somebody has to choose"),
    "cursor-reset": Kind(410, "The cursor cannot be resumed from: begin again without it"),
    "stale-version": Kind(412, "Somebody has changed it since"),
    "body-too-large": Kind(413, "The body is too large"),
    "unsupported-media-type": Kind(415, "The body must be JSON"),
    "invalid-input": Kind(422, "Some of the input is not valid"),
    "unknown-phase": Kind(422, "The board has no such phase"),
    "unknown-user": Kind(422, "There is no such user"),
    "if-match-required": Kind(428, "Name the version that you have seen in If-Match"),
    "internal-error": INTERNAL,
    "busy": Kind(503, "Somebody holds this locked: try again"),
    "timeout": Kind(503, "This took too long: look whether it was done before trying again"),
}

MEDIA_TYPE = "application/problem+json"


class Problem(Exception):  # noqa: N818 - RFC 9457's word for it
    """An answer that is an error; `members` are further fields of the body."""

    def __init__(
        self, slug: str, detail: str | None = None, *, headers: Mapping[str, str] | None = None, **members: Any
    ) -> None:
        super().__init__(slug)
        self.slug = slug
        self.status = PROBLEMS[slug].status
        self.detail = detail
        self.headers = dict(headers or {})
        self.members = members
        if self.status == 401:
            self.headers.setdefault("WWW-Authenticate", "Bearer")
        elif self.status in {429, 503}:
            self.headers.setdefault("Retry-After", "1")

    def response(self, request: Request) -> Response:
        body: dict[str, Any] = {
            "type": f"/problems/{self.slug}",
            "title": PROBLEMS[self.slug].title,
            "status": self.status,
            "instance": request.url.path,
            "request_id": getattr(request.state, "request_id", None),
        }
        if self.detail:
            body["detail"] = self.detail
        return Response(dumps(body | self.members), self.status, self.headers, MEDIA_TYPE)
