"""The checker: installed before a run, and asked after it."""

import time
from collections import defaultdict
from collections.abc import Iterable

from tests.chaos.checker import truth as truths
from tests.chaos.checker.backwards import backwards, covers_nothing
from tests.chaos.checker.content import conflict, wrong_content
from tests.chaos.checker.continuity import of_a_lost_tail, of_an_old_feed, of_another_feed
from tests.chaos.checker.duplicate import applied_twice, sent_twice
from tests.chaos.checker.examine import Examiner
from tests.chaos.checker.inversion import inversion
from tests.chaos.checker.leak import leak
from tests.chaos.checker.lost import lost
from tests.chaos.checker.membership import told_for_nothing, untold
from tests.chaos.checker.outcome import captured, outcomes, resolve
from tests.chaos.checker.pages import Pages
from tests.chaos.checker.phantom import phantom
from tests.chaos.checker.resets import spurious
from tests.chaos.checker.snapshot import old_snapshots, snapshots
from tests.chaos.checker.stale import at_checkpoints, at_the_end, checkpoints
from tests.chaos.checker.states import answer
from tests.chaos.checker.stretches import lives as lives_of
from tests.chaos.checker.stretches import wall
from tests.chaos.checker.stuck import stuck
from tests.chaos.checker.torn import torn
from tests.chaos.checker.truth import Change, Entry, Truth
from tests.chaos.model import Journal, Verdict, World

_MOST = 20
"""Verdicts of one kind about one client: the rest of them say the same."""


class Checker:
    def __init__(self, world: World) -> None:
        self._world = world
        self._discarded: list[tuple[list[Entry], list[Change], float]] = []
        self.truth: Truth | None = None
        world.discarding.append(self.discard)

    def install(self) -> None:
        """Begin to audit a migrated database that has no rows yet."""
        truths.install(self._world.primary_dsn())

    def discard(self, dsn: str) -> None:
        """Read what an old primary had, before it is thrown away."""
        entries, changes = truths.read(dsn)
        self._discarded.append((entries, changes, time.time()))

    def verdicts(self) -> list[Verdict]:
        """Judge the run: call it when nothing is written any more and the clients have stopped."""
        entries, changes = truths.read(self._world.log_dsn)
        self.truth = truths.build(entries, changes, self._discarded)
        return judge(self.truth, self._world.journal)


def judge(truth: Truth, journal: Journal) -> list[Verdict]:
    """Everything that must not be, a few of each kind and subject."""
    resolve(journal.transactions, truth)
    found: list[Verdict] = []
    seen: defaultdict[tuple[str, str], int] = defaultdict(int)
    for verdict in _all(truth, journal):
        place = verdict.kind, verdict.subject.partition(" ")[0]
        seen[place] += 1
        if seen[place] <= _MOST:
            found.append(verdict)
    return found


def _all(truth: Truth, journal: Journal) -> Iterable[Verdict]:
    faults = journal.faults
    lives = lives_of(journal.records)
    examiner = Examiner(truth)
    examined = examiner.examine(lives)
    yield from captured(truth, faults)
    yield from outcomes(journal.transactions, truth)
    yield from lost(examined)
    yield from torn(examined)
    yield from phantom(examined, faults)
    yield from sent_twice(lives)
    yield from applied_twice(examined)
    yield from inversion(examined)
    yield from leak(examined)
    yield from untold(examined, examiner)
    yield from told_for_nothing(examined, examiner)
    yield from wrong_content(examined)
    yield from conflict(lives)
    yield from backwards(lives)
    yield from covers_nothing(lives)
    yield from spurious(lives, truth, faults)
    yield from of_another_feed(lives)
    yield from of_an_old_feed(lives)
    yield from of_a_lost_tail(examined, truth)
    yield from old_snapshots(lives)
    yield from answer(truth, [*snapshots(lives, truth), *checkpoints(lives, truth)])
    yield from Pages(truth, examiner.members).judge(lives)
    yield from at_checkpoints(lives, truth)
    yield from at_the_end(lives, truth)
    yield from stuck(lives, truth, faults, wall(0.0))
