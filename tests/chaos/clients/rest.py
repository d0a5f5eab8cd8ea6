"""HTTP requests: snapshots and pages of states."""

import json
from dataclasses import dataclass
from typing import Any

import httpx

_PATIENCE = 10.0


class RestError(Exception):
    """No response, or an error response. `status` is None without a response."""

    def __init__(self, text: str, status: int | None = None, problem: dict[str, Any] | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.problem = problem or {}

    @property
    def slug(self) -> str:
        return str(self.problem.get("type", "")).rpartition("/")[2]


@dataclass(frozen=True)
class Snapshot:
    """`body` is the response; after a 304 it is the previous one, and only the cursor is new."""

    body: dict[str, Any]
    cursor: str
    etag: str | None
    unchanged: bool


class Rest:
    def __init__(self, token: str) -> None:
        self._http = httpx.AsyncClient(timeout=_PATIENCE, trust_env=False, headers={"Authorization": f"Bearer {token}"})
        self._snapshots: dict[str, Snapshot] = {}

    async def close(self) -> None:
        await self._http.aclose()

    async def board(self, api: str, board: str, *, must_cover: str | None, fresh: bool, conditional: bool) -> Snapshot:
        """GET /api/boards/{id}; not older than `must_cover`, or not from a cache (`fresh`). Raises RestError."""
        cached = self._snapshots.get(board) if conditional and not fresh else None
        headers = {"Cache-Control": "no-cache"} if fresh else {}
        if must_cover is not None:
            headers["X-Feed-Cursor"] = must_cover
        if cached is not None and cached.etag is not None:
            headers["If-None-Match"] = cached.etag
        answer = await self._get(f"{api}/api/boards/{board}", {}, headers)
        if answer.status_code == 304 and cached is not None:
            return Snapshot(cached.body, answer.headers["X-Feed-Cursor"], cached.etag, unchanged=True)
        body = _load(answer)
        taken = Snapshot(body, body["cursor"], answer.headers.get("ETag"), unchanged=False)
        self._snapshots[board] = taken
        return taken

    async def boards(self, api: str) -> list[str]:
        """GET /api/boards: the boards that the user sees. Raises RestError."""
        return [board["id"] for board in _load(await self._get(f"{api}/api/boards", {}, {}))["boards"]]

    async def page(self, api: str, since: str | None, limit: int | None) -> dict[str, Any]:
        """GET /api/sync/opportunities. Raises RestError."""
        query: dict[str, str] = {} if since is None else {"since": since}
        if limit is not None:
            query["limit"] = str(limit)
        return _load(await self._get(f"{api}/api/sync/opportunities", query, {}))

    async def _get(self, url: str, query: dict[str, str], headers: dict[str, str]) -> httpx.Response:
        try:
            answer = await self._http.get(url, params=query, headers=headers)
        except (httpx.HTTPError, OSError) as error:
            raise RestError(f"no response: {error!r}") from error
        if answer.status_code not in {200, 304}:
            try:
                problem = answer.json()
            except ValueError:
                problem = {}
            raise RestError(f"{answer.status_code} {answer.text[:200]}", answer.status_code, problem)
        return answer


def _load(answer: httpx.Response) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(answer.text, parse_float=str)
    return body
