"""GET /api/trigger-log: the log of changes for a DBA, page by page, and one change in detail.

Invariant: a page is what the log contained at one moment, and no matching change is missed between two pages. Changes
that are committed later, whatever their number, are in the stream from the first page's cursor on (see
api.routes.trigger_log_stream).
"""

from starlette.requests import Request
from starlette.responses import Response

from api.authentication import authenticate_dba
from api.dba.log_filter import log_filters
from api.http.json_response import json_response, raw_json
from api.http.operation import Operation
from api.http.parsing import parse_query
from api.http.problems import Problem
from api.schemas.dba_responses import ChangeStory, LogPage
from api.schemas.queries import LogQuery
from api.state import app_state
from db.changelog import trigger_log
from feed.wire.cursor import Cursor

_MAX_OTHERS = 100
"""Other changes of the same transaction that are returned with a change."""


async def list_changes(request: Request) -> Response:
    await authenticate_dba(request)
    query = parse_query(request, LogQuery)
    filters = log_filters(query)
    async with app_state(request).dba_reads.connection() as conn:
        low, high = await trigger_log.seq_range(conn, query.since, query.until)
        before = high if query.before is None else min(query.before, high)
        cursor = None
        if query.before is None:
            cursor = str(Cursor.at(*await trigger_log.position(conn)))
        page = await trigger_log.page(conn, filters, floor=low, before=before, limit=query.limit)
    return json_response(
        {
            "changes": [raw_json(change) for change in page.changes],
            "next": page.after,
            "back": page.reached,
            "whole": page.complete,
            "cursor": cursor,
        }
    )


async def get_change(request: Request) -> Response:
    await authenticate_dba(request)
    text = request.path_params["seq"]
    seq = int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None
    if seq is None:
        raise Problem("unknown-change", "Name a change by its seq, which is a number.")
    async with app_state(request).dba_reads.connection() as conn:
        change = await trigger_log.change(conn, seq)
        if change is None:
            raise Problem("unknown-change", _reason_missing(seq, *await trigger_log.seq_bounds(conn)))
        others = await trigger_log.same_transaction(conn, seq, _MAX_OTHERS + 1)
        steps = await trigger_log.explain(conn, seq)
    return json_response(
        {
            "change": raw_json(change),
            "transaction": [raw_json(other) for other in others[:_MAX_OTHERS]],
            "transaction_whole": len(others) <= _MAX_OTHERS,
            "explain": raw_json(steps),
        }
    )


def _reason_missing(seq: int, pruned_to: int, newest: int) -> str:
    if seq < 1:
        return "Numbers start at 1."
    if seq <= pruned_to:
        return f"It was pruned, with everything up to {pruned_to}."
    if seq > newest:
        return f"It has not been written or committed yet. The newest change is {newest or 'none'}."
    return "Its transaction was rolled back or is not committed yet. Numbers are not used again."


ROUTES = [
    Operation(
        "GET",
        "/api/trigger-log",
        list_changes,
        summary="List the changes in the log, newest first",
        tag="dba",
        query=LogQuery,
        responses={200: LogPage},
        problems=("dba-only",),
    ),
    Operation(
        "GET",
        "/api/trigger-log/{seq}",
        get_change,
        summary="Get a change: the row before and after, its transaction, and how it was delivered",
        tag="dba",
        responses={200: ChangeStory},
        problems=("dba-only", "unknown-change"),
    ),
]
