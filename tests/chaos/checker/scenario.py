"""Small handmade histories and journals for the tests of the checker."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import count
from typing import Any

from tests.chaos.checker.checker import judge
from tests.chaos.checker.client_history import wall_time
from tests.chaos.checker.truth import Change, Discarded, Entry, Row, Truth, build
from tests.chaos.clients.rowhash import board_hash
from tests.chaos.model import Fault, Journal, Record

FEED = "f1"


def cursor(xmax: int, *xip: int, feed: str = FEED) -> str:
    """A cursor that covers all transactions below xmax except `xip`."""
    low = min(xip, default=xmax)
    deltas = "-".join(str(b - a) for a, b in zip([low, *xip], xip, strict=False))
    return f"{feed}.{low}.{xmax}.{deltas}.0.00000000"


class History:
    """Simulates writes to the tables and their log rows; the clock is a number of seconds."""

    def __init__(self) -> None:
        self.now = 1.0
        self.entries: list[Entry] = []
        self.changes: list[Change] = []
        self.rows: dict[str, Row] = {}
        self.seqs = count(1)
        self.tag = "tag"
        self.feed_log = True
        self.member(100, "ana", "b1")
        self.member(100, "bruno", "b1")

    def member(self, xid: int, user: str, board: str, role: str | None = "editor") -> Change:
        row = {"board_id": board, "user_id": user, "role": role or "editor"}
        old, new = (None, row) if role is not None else (row, None)
        op = "insert" if role is not None else "delete"
        return self._write(xid, "board_members", op, [(op, board)], json.dumps([board, user]), None, old, new)[0]

    def create(self, xid: int, key: str, board: str = "b1") -> Change:
        row = {"id": key, "board_id": board, "title": "new", "phase": "new", "version_number": 1}
        return self._put(xid, "insert", [("insert", board)], key, None, row)[0]

    def update(self, xid: int, key: str, title: str) -> Change:
        old = self.rows[key]
        new = old | {"title": title, "version_number": old["version_number"] + 1}
        return self._put(xid, "update", [("update", old["board_id"])], key, old, new)[0]

    def touch(self, xid: int, key: str) -> None:
        """Update a row without a change."""
        self._write(xid, "opportunities", "update", [], key, None, self.rows[key], self.rows[key])

    def move(self, xid: int, key: str, board: str) -> list[Change]:
        old = self.rows[key]
        new = old | {"board_id": board, "version_number": old["version_number"] + 1}
        return self._put(xid, "update", [("leave", old["board_id"]), ("enter", board)], key, old, new)

    def delete(self, xid: int, key: str) -> Change:
        old = self.rows[key]
        return self._put(xid, "delete", [("delete", old["board_id"])], key, old, None)[0]

    def truncate(self, xid: int) -> Change:
        self.rows.clear()
        return self._write(xid, "opportunities", "truncate", [("truncate", None)], None, None, None, None)[0]

    def truth(self, discarded: Iterable[Discarded] = ()) -> Truth:
        built = build(self.entries, self.changes)
        return Truth(built.entries, built.changes, built.disagreed, built.uncaptured, list(discarded))

    def _put(
        self, xid: int, op: str, steps: list[tuple[str, str]], key: str, old: Row | None, new: Row | None
    ) -> list[Change]:
        if new is None:
            del self.rows[key]
        else:
            self.rows[key] = new
        version = (new or old or {})["version_number"]
        return self._write(xid, "opportunities", op, [*steps], key, version, old, new)

    def _write(
        self,
        xid: int,
        relation: str,
        op: str,
        steps: list[Any],
        key: str | None,
        version: int | None,
        old: Row | None,
        new: Row | None,
    ) -> list[Change]:
        self.now += 0.01
        self.entries.append(Entry(len(self.entries) + 1, xid, self.now, relation, op, old, new))
        changes = [
            Change(
                next(self.seqs),
                xid,
                self.now,
                relation,
                step,
                key,
                board,
                version,
                "ana",
                f"{self.tag}-{xid}",
                old,
                new,
            )
            for step, board in steps
        ]
        if self.feed_log:
            self.changes += changes
        return changes


_KINDS = {
    "insert": "opportunity_created",
    "enter": "opportunity_created",
    "update": "opportunity_updated",
    "delete": "opportunity_deleted",
    "leave": "opportunity_deleted",
}


def message(change: Change, **others: Any) -> dict[str, Any]:
    """The message that a change must cause."""
    body: dict[str, Any] = {
        "type": _KINDS.get(change.op, "resync"),
        "boardId": change.board,
        "version": change.version,
        "seq": change.seq,
        "xid": str(change.xid),
        "origin": change.origin,
        "timestamp": datetime.fromtimestamp(change.at, UTC).isoformat(timespec="milliseconds"),
    }
    if change.op in {"truncate", "reload"}:
        body |= {"reason": change.op, "table": change.relation, "count": 1}
    else:
        body["opportunityId"] = change.key
    if change.op in {"insert", "enter"}:
        body["opportunity"] = change.new
    elif change.op == "update" and change.old is not None and change.new is not None:
        body["changes"] = {name: value for name, value in change.new.items() if change.old[name] != value}
    return body | others


class Client:
    """Writes the journal of a client."""

    def __init__(self, journal: Journal, history: History, name: str = "c", user: str = "ana") -> None:
        self._journal = journal
        self._history = history
        self._name = name
        self._user = user
        self._connection = 0

    def record(self, kind: str, body: dict[str, Any], at: str | None = None) -> None:
        self._history.now += 0.01
        self._journal.records.append(
            Record(
                self._history.now - wall_time(0.0),
                self._name,
                self._user,
                self._connection,
                "feed-1",
                "websocket",
                kind,
                body,
                at,
                at is not None,
            )
        )

    def connect(self, at: str | None, *, resume: str = "resumed", boards: list[str] | None = None) -> None:
        self._connection += 1
        self.record("connect", {"boards": boards}, None if resume == "live" else at)
        self.record("auth_success", {"resume": resume, "boards": ["b1"]}, None if resume == "reset" else at)

    def receive(self, *changes: Change, at: str | None = None, **others: Any) -> None:
        """Receive events, the last one with a cursor."""
        for number, change in enumerate(changes, 1):
            body = message(change, **others)
            self.record(body["type"], body, at if number == len(changes) else None)

    def receive_message(self, kind: str, at: str | None = None, **fields: Any) -> None:
        self.record(kind, {"type": kind, **fields}, at)

    def snapshot(self, rows: Iterable[Row], at: str, *, must_cover: str | None = None, board: str = "b1") -> None:
        members = [{"userId": "ana", "role": "editor"}, {"userId": "bruno", "role": "editor"}]
        body = {"opportunities": list(rows), "members": members, "role": "editor", "cursor": at}
        self.record(
            "snapshot", {"board": board, "body": body, "must_cover": must_cover, "unchanged": False, "fresh": False}, at
        )

    def checkpoint(self, rows: Iterable[Row], at: str) -> None:
        pairs = [(row["id"], row["version_number"]) for row in rows]
        self.receive_message("checkpoint", at, boardId="b1", count=len(pairs), hash=board_hash(pairs))

    def final(self, boards: dict[str, dict[str, Row]], at: str, *, settled: bool = True) -> None:
        self.record("final", {"boards": boards, "pending": [], "settled": settled}, at)


class Scenario:
    """A history, a journal and a client that went live after transaction 100."""

    def __init__(self) -> None:
        self.history = History()
        self.journal = Journal()
        self.client = Client(self.journal, self.history)
        self.client.connect(cursor(101), resume="live")

    def fault(self, *explains: str) -> None:
        at = self.history.now - wall_time(0.0)
        self.journal.faults.append(Fault("a fault", at - 1, at, frozenset(explains)))

    def kinds(self, discarded: Iterable[Discarded] = ()) -> set[str]:
        """The kinds of verdicts of the checker."""
        return {verdict.kind for verdict in judge(self.history.truth(discarded), self.journal)}
