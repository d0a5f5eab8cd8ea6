"""Checks answers to polls: they must have every changed row, as of their cursor or later."""

from collections import defaultdict
from collections.abc import Iterable

from tests.chaos.checker.client_history import ClientHistory, Page
from tests.chaos.checker.examine import LATENESS
from tests.chaos.checker.lost import describe
from tests.chaos.checker.members import Members, board_of
from tests.chaos.checker.truth import Change, Entry, Truth
from tests.chaos.model import Verdict


class Pages:
    def __init__(self, truth: Truth, members: Members) -> None:
        self._truth = truth
        self._members = members
        self._rows: defaultdict[str, list[Entry]] = defaultdict(list)
        self._truncated: list[float] = []
        lost = [entry for each in truth.discarded for entry in each.entries]
        for entry in sorted([*truth.entries, *lost], key=lambda entry: entry.seq):
            if entry.relation == "opportunities" and entry.op == "truncate":
                self._truncated.append(entry.at)
            elif entry.relation == "opportunities":
                self._rows[entry.key()].append(entry)

    def judge(self, histories: Iterable[ClientHistory]) -> Iterable[Verdict]:
        for history in histories:
            for segment in history.segments:
                for page in segment.pages:
                    yield from self._page(page)

    def _page(self, page: Page) -> Iterable[Verdict]:
        rows = {row["id"]: row for row in page.answer["opportunities"]}
        deleted = set(page.answer["deletedIds"])
        where = f"{page.client} ({page.user}, {page.source})"
        for key, row in rows.items():
            if not any(entry.new == row for entry in self._rows[key] if entry.at <= page.at + LATENESS):
                yield Verdict("content", where, f"{key}, version {row['version_number']}, was never like this")
        if page.since is None:
            return
        # Until the old primary is discarded, the page may be of either primary: it must be wrong in both histories.
        first = sum(1 for each in self._truth.discarded if each.at < page.at)
        last = sum(1 for each in self._truth.discarded if each.last < page.at)
        found = [
            list(self._changes(page, timeline, rows, deleted, where)) for timeline in range(first, max(first, last) + 1)
        ]
        if all(found):
            yield from found[-1]

    def _changes(
        self, page: Page, timeline: int, rows: dict[str, dict[str, object]], deleted: set[str], where: str
    ) -> Iterable[Verdict]:
        for change in self._newest(page, timeline):
            key = str(change.key)
            if key not in rows and key not in deleted:
                between = "" if page.since is None else f"from {page.since.text} to {page.until.text}"
                yield Verdict("lost", where, f"{describe(change)} is not in the page {between}")
            elif key in rows and not self._as_new(change, rows[key]):
                yield Verdict("content", where, f"{key} is older than {describe(change)}, which the page covers")
            elif key in deleted and self._stayed(change, page):
                yield Verdict(
                    "content", where, f"{key} is reported as deleted, but is on {change.board}: {describe(change)}"
                )

    def _newest(self, page: Page, timeline: int) -> list[Change]:
        """The last change of each card on the boards that the user saw all the time."""
        if page.since is None:
            return []
        at = page.at + LATENESS
        unsettled = {board_of(change) for change in self._members.of(page.user, page.since) if change.at <= at}
        unsettled |= self._members.unknown(page.user, at)
        seen = self._members.at(page.user, page.since, at, timeline) - unsettled
        newest: dict[str | None, Change] = {}
        if None in unsettled:
            return []
        for change in self._truth.between(page.since, page.until, at, timeline):
            if change.relation == "opportunities" and change.board in seen and not change.lost:
                newest[change.key] = change
        return list(newest.values())

    def _as_new(self, change: Change, row: dict[str, object]) -> bool:
        """Whether the row is as of the change or a later one."""
        reached = False
        for entry in self._rows[str(change.key)]:
            reached = reached or (entry.xid == change.xid and entry.new == change.new)
            if reached and entry.new == row:
                return True
        return not reached

    def _stayed(self, change: Change, page: Page) -> bool:
        """Whether the card stayed on its board until the page was received."""
        if change.op not in {"insert", "update", "enter"}:
            return False
        if any(change.at - LATENESS <= at <= page.at + LATENESS for at in self._truncated):
            return False
        later = [entry for entry in self._rows[str(change.key)] if entry.at >= change.at - LATENESS]
        return all(
            entry.op != "delete" and (entry.new or {}).get("board_id") == change.board
            for entry in later
            if entry.at <= page.at + LATENESS
        )
