"""A client that holds something else than the tables: at a checkpoint, or when everything has come to rest."""

from collections.abc import Iterable

from tests.chaos.checker.content import difference
from tests.chaos.checker.members import UNKNOWN
from tests.chaos.checker.states import Question, Tables, keys_of
from tests.chaos.checker.stretches import Life, wall
from tests.chaos.checker.truth import Truth
from tests.chaos.clients.cursor import parse
from tests.chaos.model import Record, Verdict


def at_checkpoints(lives: Iterable[Life], truth: Truth) -> Iterable[Verdict]:
    """The client has counted for itself; but what was written past the log the service counts, and no client knows."""
    for life in lives:
        for record in life.records:
            body = record.body
            if record.kind != "compare" or not body["exact"] or body["expected"] == body["held"]:
                continue
            at = wall(record.at)
            if not any(body["board"] in boards and at - UNKNOWN < when < at for when, boards in _past_the_log(truth)):
                text = (
                    f"{body['board']} at {record.cursor}: holds {body['held']}, the checkpoint has {body['expected']}"
                )
                yield Verdict("stale", life.client, text)


def _past_the_log(truth: Truth) -> Iterable[tuple[float, set[str]]]:
    """When which boards had cards written that are not in the log."""
    for entry in truth.uncaptured:
        if entry.relation == "opportunities":
            yield entry.at, {row["board_id"] for row in (entry.old, entry.new) if row is not None}


def checkpoints(lives: Iterable[Life], truth: Truth) -> Iterable[Question]:
    """A checkpoint must be what the table was at its cursor."""
    unknown = {entry.new["board_id"] for entry in truth.uncaptured if entry.new is not None and "board_id" in entry.new}
    asked: set[tuple[object, ...]] = set()
    for life in lives:
        opened = 0.0
        for record in life.records:
            body = record.body
            if record.kind == "connect":
                opened = wall(record.at)
            if record.kind != "checkpoint" or body["boardId"] in unknown:
                continue
            place = body["boardId"], body["count"], body["hash"], record.cursor
            if place not in asked:
                asked.add(place)
                yield Question(parse(record.cursor or ""), wall(record.at), _Judge(record), opened)


class _Judge:
    def __init__(self, record: Record) -> None:
        self._record = record

    def __call__(self, tables: Tables) -> Verdict | None:
        record, body = self._record, self._record.body
        wanted = tables.checkpoint(body["boardId"])
        if wanted == (body["count"], body["hash"]):
            return None
        text = f"{body['boardId']} at {record.cursor} of {record.endpoint}: {body['count']} {body['hash']}, the table had {wanted}"
        return Verdict("checkpoint", record.client, text)


def at_the_end(lives: Iterable[Life], truth: Truth) -> Iterable[Verdict]:
    """Every client that had time to catch up holds the tables as they are."""
    tables, unknown = Tables(), keys_of(truth.uncaptured)
    for entry in truth.entries:
        tables.apply(entry)
    for life in lives:
        final, wanted = _last(life)
        if final is None:
            continue
        if not final.body["settled"]:
            yield Verdict(
                "stale", life.client, f"has not caught up: stands at {final.cursor}, pending {final.body['pending']}"
            )
            continue
        held = final.body["boards"]
        for board in sorted(tables.cards.keys() | held.keys()):
            sees = life.user in tables.members[board] and (wanted is None or board in wanted)
            rows = tables.cards[board] if sees else {}
            text = _differs(rows, held.get(board, {}), unknown)
            if text is not None:
                yield Verdict("stale", life.client, f"at the end, {board}: {text}")


def _last(life: Life) -> tuple[Record | None, set[str] | None]:
    wanted = None
    final = None
    for record in life.records:
        if record.kind == "connect":
            wanted = None if record.body["boards"] is None else set(record.body["boards"])
        elif record.kind == "subscribing" and wanted is not None:
            wanted |= set(record.body["boards"])
        elif record.kind == "unsubscribing" and wanted is not None:
            wanted -= set(record.body["boards"])
        elif record.kind == "final":
            final = record
    return final, wanted


def _differs(wanted: dict[str, dict[str, object]], held: dict[str, dict[str, object]], unknown: set[str]) -> str | None:
    for key in sorted((wanted.keys() | held.keys()) - unknown):
        if key not in held:
            return f"{key} is missing"
        if key not in wanted:
            return f"{key} is still held"
        if held[key] != wanted[key]:
            return f"{key}: {difference(wanted[key], held[key])}"
    return None
