"""Verdicts `content` and `conflict`: a message differs from the table, or between clients."""

import json
from collections.abc import Iterable, Sequence

from tests.chaos.checker.client_history import ClientHistory
from tests.chaos.checker.examine import Examined, Match
from tests.chaos.checker.lost import describe
from tests.chaos.checker.truth import Row
from tests.chaos.model import Verdict


def wrong_content(examined: Sequence[Examined]) -> Iterable[Verdict]:
    checked: set[tuple[int, int, int]] = set()
    for each in examined:
        for match in each.matches:
            if match.change is None:
                continue
            key = id(match.change), len(match.delivers), id(match.record.body)
            if key in checked:
                continue
            checked.add(key)
            if (text := content_error(match)) is not None:
                yield Verdict("content", each.where, f"{describe(match.change)}: {text}")


def content_error(match: Match) -> str | None:
    """How the content of a message differs from the table; None if it does not, or if that is unknown."""
    body, change = match.record.body, match.change
    if change is None or change.new is None or match.record.kind == "resync":
        return None
    row = body.get("opportunity", body.get("row"))
    if row is not None:
        return None if row == change.new else difference(change.new, row)
    old = match.delivers[0].old
    if "changes" not in body or old is None or match.delivers[0].op in {"delete", "leave"}:
        return None  # the base of the changes is gone: only a whole row could be compared
    phases = old.get("phase"), change.new.get("phase")
    if "fromPhase" in body and (body["fromPhase"], body["toPhase"]) != phases:
        return f"from {body['fromPhase']} to {body['toPhase']}, and not {phases}"
    wanted = {name: value for name, value in change.new.items() if name not in old or old[name] != value}
    return None if body["changes"] == wanted else difference(wanted, body["changes"])


def difference(wanted: Row, sent: Row) -> str:
    names = [name for name in sorted(wanted.keys() | sent.keys()) if wanted.get(name) != sent.get(name)]
    return ", ".join(
        f"{name} is {str(sent.get(name))[:60]!r} and not {str(wanted.get(name))[:60]!r}" for name in names[:4]
    )


def conflict(histories: Iterable[ClientHistory]) -> Iterable[Verdict]:
    """One sequence number with two contents, on any transport. Collapsed events are compared with equally collapsed ones."""
    seen: dict[tuple[object, ...], tuple[int, str, str]] = {}
    for history in histories:
        for record in history.records:
            body = record.body
            if "seq" not in body or record.kind == "resync":
                continue
            key = body["seq"], body["xid"], body["timestamp"], body.get("collapsed")
            before = seen.get(key)
            if before is not None and before[0] == id(body):
                continue
            text = json.dumps({name: value for name, value in body.items() if name != "cursor"}, sort_keys=True)
            if before is None:
                seen[key] = id(body), text, history.client
            elif before[1] != text:
                yield Verdict(
                    "conflict",
                    history.client,
                    f"seq {body['seq']} differs for {before[2]}: {text[:200]} / {before[1][:200]}",
                )
