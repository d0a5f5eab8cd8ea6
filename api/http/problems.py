"""Every error that the API can return, as one table.

Clients may rely on the slug (the `type` of RFC 9457) and the status. The documentation, /openapi.json, and the tests
read this table. A response cannot use a slug that is not in it.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from api.http.json_response import dumps
from feed.wire.problems import HEADERS_TOO_LARGE, INTERNAL_ERROR, REQUEST_TIMEOUT, STREAM_PROBLEMS, ProblemType

PROBLEMS: Mapping[str, ProblemType] = {
    **STREAM_PROBLEMS,
    "invalid-json": ProblemType(400, "The body is not valid JSON"),
    "invalid-if-match": ProblemType(400, 'If-Match must be one entity tag such as "v9", or *'),
    "invalid-mutation-id": ProblemType(400, "X-Mutation-Id must be 1 to 200 printable ASCII characters"),
    "read-only": ProblemType(403, "Your role on this board does not allow changes"),
    "admin-only": ProblemType(403, "Only an admin of this board may do this"),
    "dba-only": ProblemType(403, "This requires a token with the role dba"),
    "not-found": ProblemType(404, "This address does not exist"),
    "unknown-board": ProblemType(404, "The board does not exist, or you are not a member"),
    "unknown-opportunity": ProblemType(404, "The opportunity does not exist, or is not on one of your boards"),
    "unknown-version": ProblemType(404, "The version does not exist"),
    "unknown-change": ProblemType(404, "The log has no such change"),
    "unknown-member": ProblemType(404, "This user is not a member of the board"),
    "no-demo": ProblemType(404, "Signing in by name is only available in the demo"),
    "method-not-allowed": ProblemType(405, "This address does not support the method"),
    "request-timeout": REQUEST_TIMEOUT,
    "conflict": ProblemType(409, "The change conflicts with existing data"),
    "board-archived": ProblemType(409, "The board is archived; restore it to change anything on it"),
    "phase-in-use": ProblemType(409, "The phase has cards; name the phase that they move to"),
    "last-admin": ProblemType(409, "A board needs an admin; make another member admin first"),
    "limit-reached": ProblemType(409, "There are as many of these as one board or one user may have"),
    "application-board": ProblemType(409, "The boards and phases are those of the application's own table"),
    "merge-conflict": ProblemType(409, "Both versions changed the same fields; a person has to choose"),
    "cursor-reset": ProblemType(410, "The cursor cannot be resumed; start again without it"),
    "stale-version": ProblemType(412, "The opportunity has changed since the version you named"),
    "stale-board": ProblemType(412, "The board has changed since the version you named"),
    "stale-member": ProblemType(412, "The member has changed since the role you named"),
    "body-too-large": ProblemType(413, "The body is too large"),
    "wrong-host": ProblemType(421, "This service is not known by that name"),
    "unsupported-media-type": ProblemType(415, "The body must be JSON"),
    "unknown-phase": ProblemType(422, "The board has no such phase"),
    "unknown-user": ProblemType(422, "There is no such user"),
    "if-match-required": ProblemType(428, "If-Match is required; name the version that you are changing"),
    "too-many-leases": ProblemType(429, "You view or edit too many cards and boards"),
    "headers-too-large": HEADERS_TOO_LARGE,
    "internal-error": INTERNAL_ERROR,
    "busy": ProblemType(503, "The database is busy with another transaction; try again"),
    "timeout": ProblemType(503, "The request took too long; check whether it took effect before you try again"),
}

_MAX_FAULTS = 20
"""An input may have thousands of faults."""
_MAX_POINTER = 200
"""Characters."""

MEDIA_TYPE = "application/problem+json"


class Problem(Exception):  # noqa: N818 - RFC 9457's term
    """An error response; `members` are additional fields of its body."""

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
        content: dict[str, Any] = {
            "type": f"/problems/{self.slug}",
            "title": PROBLEMS[self.slug].title,
            "status": self.status,
            "instance": quote(request.scope["path"]),
            "request_id": getattr(request.state, "request_id", None),
        }
        if self.detail:
            content["detail"] = self.detail
        return Response(dumps(content | self.members), self.status, self.headers, MEDIA_TYPE)


def validation_problem(error: ValidationError, location: str = "body") -> Problem:
    """List what is wrong with the input, each with a JSON pointer to where it is."""
    faults = [
        {
            "in": location,
            "pointer": "".join(f"/{_escape(part)}" for part in fault["loc"])[:_MAX_POINTER],
            "code": fault["type"],
            "detail": fault["msg"],
        }
        for fault in error.errors(include_url=False, include_context=False, include_input=False)[:_MAX_FAULTS]
    ]
    return Problem("invalid-input", errors=faults)


def _escape(part: str | int) -> str:
    return str(part).replace("~", "~0").replace("/", "~1")  # RFC 6901
