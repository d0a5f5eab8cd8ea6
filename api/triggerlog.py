"""GET /api/trigger-log: the log of changes for a DBA, page by page, and one change with all that is known of it.

Invariant: a page is what the log showed at one moment, and nothing that fits is left out between two pages. What is committed
later, wherever its number lies, is told by the stream from the first page's cursor on (see api.triggerstream).
"""

from starlette.requests import Request
from starlette.responses import Response

from api.auth import dba
from api.body import query
from api.dba_answers import ChangeStory, LogPage
from api.json import answer, raw
from api.operation import Operation
from api.problems import Problem
from api.schemas import LogFilter, LogQuery
from api.services import services
from db import triggerlog
from feed.wire.cursor import Cursor

_OTHERS = 100
"""Changes of a transaction that are shown with one of them."""


async def list_changes(request: Request) -> Response:
    await dba(request)
    asked = query(request, LogQuery)
    filters = conditions(asked)
    async with services(request).watch.reading() as conn:
        low, high = await triggerlog.bounds(conn, asked.since, asked.until)
        before = high if asked.before is None else min(asked.before, high)
        cursor = None
        if asked.before is None:
            cursor = str(Cursor.at(*await triggerlog.position(conn)))
        page = await triggerlog.page(conn, filters, floor=low, before=before, limit=asked.limit)
    return answer(
        {
            "changes": [raw(body) for body in page.changes],
            "next": page.after,
            "back": page.back,
            "whole": page.whole,
            "cursor": cursor,
        }
    )


async def get_change(request: Request) -> Response:
    await dba(request)
    text = request.path_params["seq"]
    seq = int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None
    if seq is None:
        raise Problem("unknown-change", "a change is named by its seq, a number")
    async with services(request).watch.reading() as conn:
        found = await triggerlog.change(conn, seq)
        if found is None:
            raise Problem("unknown-change", _absent(seq, *await triggerlog.ends(conn)))
        others = await triggerlog.others(conn, seq, _OTHERS + 1)
        steps = await triggerlog.explain(conn, seq)
    return answer(
        {
            "change": raw(found),
            "transaction": [raw(body) for body in others[:_OTHERS]],
            "transaction_whole": len(others) <= _OTHERS,
            "explain": raw(steps),
        }
    )


def conditions(asked: LogFilter) -> dict[str, str | None]:
    """What db.triggerlog is asked for. An opportunity is a row of its table."""
    if asked.opportunity is not None and (asked.table is not None or asked.key is not None):
        raise Problem("invalid-input", "opportunity is short for table and key: name it, or them")
    wanted: dict[str, str | None] = {name: getattr(asked, name) for name in triggerlog.FILTERS}
    if asked.opportunity is not None:
        wanted |= {"table": "opportunities", "key": asked.opportunity}
    return wanted


def _absent(seq: int, floor: int, last: int) -> str:
    if seq < 1:
        return "numbers begin with 1"
    if seq <= floor:
        return f"it was pruned, with all up to {floor}"
    if seq > last:
        return f"not written yet, or not committed: the newest is {last or 'none'}"
    return "its transaction was rolled back, or is not committed yet: numbers are not given out again"


ROUTES = [
    Operation(
        "GET",
        "/api/trigger-log",
        list_changes,
        summary="The log of changes, newest first, for a token with the role dba",
        tag="dba",
        query=LogQuery,
        answers={200: LogPage},
        problems=("dba-only",),
    ),
    Operation(
        "GET",
        "/api/trigger-log/{seq}",
        get_change,
        summary="One change: the row before and after, its transaction, and what became of it",
        tag="dba",
        answers={200: ChangeStory},
        problems=("dba-only", "unknown-change"),
    ),
]
