"""Verdicts `stale` and `checkpoint`: a client or a checkpoint differs from the tables."""

from collections.abc import Iterable

from tests.chaos.checker.client_history import ClientHistory, wall_time
from tests.chaos.checker.content import difference
from tests.chaos.checker.members import UNKNOWN_SECONDS
from tests.chaos.checker.states import TableCheck, Tables, keys_of
from tests.chaos.checker.truth import Truth
from tests.chaos.clients.cursor import parse
from tests.chaos.model import Record, Verdict


def client_counts(histories: Iterable[ClientHistory], truth: Truth) -> Iterable[Verdict]:
    """The client compared its own count. Writes that are not in the log are in the checkpoint, but unknown to clients."""
    for history in histories:
        for record in history.records:
            body = record.body
            if record.kind != "compare" or not body["exact"] or body["expected"] == body["held"]:
                continue
            at = wall_time(record.at)
            if not any(
                body["board"] in boards and at - UNKNOWN_SECONDS < when < at for when, boards in _past_the_log(truth)
            ):
                text = (
                    f"{body['board']} at {record.cursor}: holds {body['held']}, the checkpoint has {body['expected']}"
                )
                yield Verdict("stale", history.client, text)


def _past_the_log(truth: Truth) -> Iterable[tuple[float, set[str]]]:
    """The times and boards of card writes that are not in the log."""
    for entry in truth.uncaptured:
        if entry.relation == "opportunities":
            yield entry.at, {row["board_id"] for row in (entry.old, entry.new) if row is not None}


def checkpoints(histories: Iterable[ClientHistory], truth: Truth) -> Iterable[TableCheck]:
    """A checkpoint must match the table at its cursor."""
    unknown = {entry.new["board_id"] for entry in truth.uncaptured if entry.new is not None and "board_id" in entry.new}
    checked: set[tuple[object, ...]] = set()
    for history in histories:
        opened = 0.0
        for record in history.records:
            body = record.body
            if record.kind == "connect":
                opened = wall_time(record.at)
            if record.kind != "checkpoint" or body["boardId"] in unknown:
                continue
            key = body["boardId"], body["count"], body["hash"], record.cursor
            if key not in checked:
                checked.add(key)
                yield TableCheck(parse(record.cursor or ""), wall_time(record.at), _Judge(record), opened)


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


def final_states(histories: Iterable[ClientHistory], truth: Truth) -> Iterable[Verdict]:
    """At the end, every settled client must match the tables."""
    tables, unknown = Tables(), keys_of(truth.uncaptured)
    for entry in truth.entries:
        tables.apply(entry)
    for history in histories:
        final, wanted = _last(history)
        if final is None:
            continue
        if not final.body["settled"]:
            yield Verdict(
                "stale",
                history.client,
                f"has not caught up: its cursor is {final.cursor}, pending {final.body['pending']}",
            )
            continue
        held = final.body["boards"]
        for board in sorted(tables.cards.keys() | held.keys()):
            sees = history.user in tables.members[board] and (wanted is None or board in wanted)
            rows = tables.cards[board] if sees else {}
            text = _differs(rows, held.get(board, {}), unknown)
            if text is not None:
                yield Verdict("stale", history.client, f"at the end, {board}: {text}")


def _last(history: ClientHistory) -> tuple[Record | None, set[str] | None]:
    wanted = None
    final = None
    for record in history.records:
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
