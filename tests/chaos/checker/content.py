"""What a message says of a row: as the table had it, and the same for everybody."""

import json
from collections.abc import Iterable, Sequence

from tests.chaos.checker.examine import Examined, Match
from tests.chaos.checker.lost import describe
from tests.chaos.checker.stretches import Life
from tests.chaos.checker.truth import Row
from tests.chaos.model import Verdict


def wrong_content(examined: Sequence[Examined]) -> Iterable[Verdict]:
    checked: set[tuple[int, int, int]] = set()
    for each in examined:
        for match in each.matches:
            if match.change is None:
                continue
            place = id(match.change), len(match.tells), id(match.record.body)
            if place in checked:
                continue
            checked.add(place)
            if (text := fault(match)) is not None:
                yield Verdict("content", each.where, f"{describe(match.change)}: {text}")


def fault(match: Match) -> str | None:
    """What is wrong with what a message says; None where nothing is, or nothing can be said."""
    body, change = match.record.body, match.change
    if change is None or change.new is None or match.record.kind == "resync":
        return None
    row = body.get("opportunity", body.get("row"))
    if row is not None:
        return None if row == change.new else difference(change.new, row)
    old = match.tells[0].old
    if "changes" not in body or old is None or match.tells[0].op in {"delete", "leave"}:
        return None  # what it changed against is gone: only a whole row would do
    phases = old.get("phase"), change.new.get("phase")
    if "fromPhase" in body and (body["fromPhase"], body["toPhase"]) != phases:
        return f"from {body['fromPhase']} to {body['toPhase']}, and not {phases}"
    wanted = {name: value for name, value in change.new.items() if name not in old or old[name] != value}
    return None if body["changes"] == wanted else difference(wanted, body["changes"])


def difference(wanted: Row, told: Row) -> str:
    names = [name for name in sorted(wanted.keys() | told.keys()) if wanted.get(name) != told.get(name)]
    return ", ".join(
        f"{name} is {str(told.get(name))[:60]!r} and not {str(wanted.get(name))[:60]!r}" for name in names[:4]
    )


def conflict(lives: Iterable[Life]) -> Iterable[Verdict]:
    """One number, told in two ways, whatever the transport; one that tells several changes is compared with its like."""
    known: dict[tuple[object, ...], tuple[int, str, str]] = {}
    for life in lives:
        for record in life.records:
            body = record.body
            if "seq" not in body or record.kind == "resync":
                continue
            place = body["seq"], body["xid"], body["timestamp"], body.get("collapsed")
            before = known.get(place)
            if before is not None and before[0] == id(body):
                continue
            text = json.dumps({name: value for name, value in body.items() if name != "cursor"}, sort_keys=True)
            if before is None:
                known[place] = id(body), text, life.client
            elif before[1] != text:
                yield Verdict(
                    "conflict",
                    life.client,
                    f"seq {body['seq']} is another for {before[2]}: {text[:200]} / {before[1][:200]}",
                )
