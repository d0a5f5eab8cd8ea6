"""The report of a run, as text and as JSON."""

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.chaos.checker.truth import Truth
from tests.chaos.model import Journal, Verdict
from tests.chaos.watch import Watch
from tests.chaos.world.world import World


@dataclass
class Report:
    seed: int
    seconds: float
    faults: str
    bug: str | None
    rounds: int = 0
    verdicts: list[Verdict] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    def gather(self, world: World, watch: Watch) -> None:
        journal = world.journal
        self.facts = {
            "faults": dict(Counter(fault.name for fault in journal.faults if fault.skipped is None)),
            "skipped": {fault.name: fault.skipped for fault in journal.faults if fault.skipped is not None},
            "history": [asdict(fault) | {"explains": sorted(fault.explains)} for fault in journal.faults],
            "transactions": _table(Counter((each.kind, each.outcome) for each in journal.transactions)),
            "unresolved": sum(each.outcome == "unknown" and each.resolved is None for each in journal.transactions),
            "deliveries": dict(Counter(record.kind for record in journal.records)),
            "transports": dict(Counter(record.transport for record in journal.records)),
            "resets": dict(Counter(str(r.body.get("reason")) for r in journal.records if r.kind == "reset")),
            "answers": dict(Counter(str(status or "none") for _, _, _, status in world.answers)),
            "recoveries": {name: round(seconds, 1) for name, seconds in watch.recoveries.items()},
            "stops": [asdict(stop) for service in world.services.values() for stop in service.stops],
            "warm": {name: asdict(usage) for name, usage in watch.before.items()},
            "left": {name: asdict(usage) for name, usage in watch.after.items()},
            "log_lines": dict(Counter(log.level for log in journal.logs)),
            "harness_lag": round(watch.lag, 2),
        }

    @property
    def command(self) -> str:
        """The command that repeats the run."""
        bug = f" BUG={self.bug}" if self.bug else ""
        return f"make chaos SEED={self.seed} SECONDS={self.seconds:.0f} FAULTS={self.faults}{bug}"

    def as_json(self) -> str:
        return json.dumps(asdict(self), indent=1, default=str)

    def text(self) -> str:
        facts = self.facts
        lines = [
            f"seed {self.seed}, {self.seconds:.0f} s, {self.rounds} rounds of faults",
            "faults: " + _counted(facts.get("faults", {})),
            *(f"skipped {name}: {why}" for name, why in facts.get("skipped", {}).items()),
            "transactions: " + "; ".join(f"{kind} {_counted(n)}" for kind, n in facts.get("transactions", {}).items()),
            "deliveries: " + _counted(facts.get("deliveries", {})),
            "resets: " + (_counted(facts.get("resets", {})) or "none"),
            "longest recovery: " + _counted(facts.get("recoveries", {})),
            f"{len(self.verdicts)} verdicts" if self.verdicts else "no verdict",
            *(f"  {verdict.kind} · {verdict.subject} · {verdict.detail}" for verdict in self.verdicts),
        ]
        return "\n".join([*lines, f"repeat with: {self.command}"])


def write_journal(path: Path, journal: Journal, truth: Truth | None) -> None:
    """Write a JSON line for each record, in order of time, then the audit and the log; `is` has the kind of the record."""
    lines = [("fault", fault.began, asdict(fault) | {"explains": sorted(fault.explains)}) for fault in journal.faults]
    lines += [("transaction", each.began, asdict(each)) for each in journal.transactions]
    lines += [("log", log.at, asdict(log) | {"fields": None}) for log in journal.logs]
    lines += [("record", record.at, asdict(record)) for record in journal.records]
    with path.open("w") as out:
        for kind, _, fields in sorted(lines, key=lambda line: line[1]):
            out.write(json.dumps({"is": kind, **fields}, default=str) + "\n")
        for entry in truth.entries if truth is not None else ():
            out.write(json.dumps({"is": "entry", **asdict(entry)}) + "\n")
        for change in truth.changes if truth is not None else ():
            out.write(json.dumps({"is": "change", **asdict(change), "old": None, "new": None}) + "\n")


def _counted(counts: dict[str, Any]) -> str:
    return ", ".join(f"{name} {number}" for name, number in counts.items())


def _table(counts: Counter[tuple[str, Any]]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for (kind, outcome), number in sorted(counts.items()):
        found.setdefault(kind, {})[outcome] = number
    return found
