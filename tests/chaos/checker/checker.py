"""The checker: installed before a run; returns its verdicts afterwards."""

import time
from collections import defaultdict
from collections.abc import Iterable

from tests.chaos.checker import truth as truths
from tests.chaos.checker.backwards import auth_success_before_reset, backwards
from tests.chaos.checker.client_history import read_histories, wall_time
from tests.chaos.checker.content import conflict, wrong_content
from tests.chaos.checker.continuity import resumed_across_feeds, resumed_after_a_lost_tail, resumed_from_an_old_feed
from tests.chaos.checker.duplicate import applied_twice, sent_twice
from tests.chaos.checker.examine import Examiner
from tests.chaos.checker.inversion import inversion
from tests.chaos.checker.leak import leak
from tests.chaos.checker.lost import lost
from tests.chaos.checker.membership import missing_grants, unfounded_grants
from tests.chaos.checker.outcome import outcomes, resolve, uncaptured_writes
from tests.chaos.checker.pages import Pages
from tests.chaos.checker.phantom import phantom
from tests.chaos.checker.resets import spurious_resets
from tests.chaos.checker.snapshot import old_snapshots, snapshots
from tests.chaos.checker.stale import checkpoints, client_counts, final_states
from tests.chaos.checker.states import run_checks
from tests.chaos.checker.stuck import stuck
from tests.chaos.checker.torn import torn
from tests.chaos.checker.truth import Change, Entry, Truth
from tests.chaos.model import Journal, Verdict, World

_LIMIT = 20
"""The limit of verdicts of one kind about one client: more would repeat the same."""


class Checker:
    def __init__(self, world: World) -> None:
        self._world = world
        self._discarded: list[tuple[list[Entry], list[Change], float]] = []
        self.truth: Truth | None = None
        world.on_discard.append(self.discard)

    def install(self) -> None:
        """Install the audit in a migrated database without rows."""
        truths.install(self._world.primary_dsn())

    def discard(self, dsn: str) -> None:
        """Read the audit of an old primary before it is discarded."""
        entries, changes = truths.read(dsn)
        self._discarded.append((entries, changes, time.time()))

    def verdicts(self) -> list[Verdict]:
        """Check the run. Call it when nothing is written any more and the clients have stopped."""
        entries, changes = truths.read(self._world.log_dsn)
        self.truth = truths.build(entries, changes, self._discarded)
        return judge(self.truth, self._world.journal)


def judge(truth: Truth, journal: Journal) -> list[Verdict]:
    """All verdicts, limited for each kind and subject."""
    resolve(journal.transactions, truth)
    found: list[Verdict] = []
    seen: defaultdict[tuple[str, str], int] = defaultdict(int)
    for verdict in _all(truth, journal):
        key = verdict.kind, verdict.subject.partition(" ")[0]
        seen[key] += 1
        if seen[key] <= _LIMIT:
            found.append(verdict)
    return found


def _all(truth: Truth, journal: Journal) -> Iterable[Verdict]:
    faults = journal.faults
    histories = read_histories(journal.records)
    examiner = Examiner(truth)
    examined = examiner.examine(histories)
    yield from uncaptured_writes(truth, faults)
    yield from outcomes(journal.transactions, truth)
    yield from lost(examined)
    yield from torn(examined)
    yield from phantom(examined, faults)
    yield from sent_twice(histories)
    yield from applied_twice(examined)
    yield from inversion(examined)
    yield from leak(examined)
    yield from missing_grants(examined, examiner)
    yield from unfounded_grants(examined, examiner)
    yield from wrong_content(examined)
    yield from conflict(histories)
    yield from backwards(histories)
    yield from auth_success_before_reset(histories)
    yield from spurious_resets(histories, truth, faults)
    yield from resumed_across_feeds(histories)
    yield from resumed_from_an_old_feed(histories)
    yield from resumed_after_a_lost_tail(examined, truth)
    yield from old_snapshots(histories)
    yield from run_checks(truth, [*snapshots(histories, truth), *checkpoints(histories, truth)])
    yield from Pages(truth, examiner.members).judge(histories)
    yield from client_counts(histories, truth)
    yield from final_states(histories, truth)
    yield from stuck(histories, truth, faults, wall_time(0.0))
