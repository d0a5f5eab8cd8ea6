"""Checks of the services themselves: progress, no server errors, no error lines, quick stops, no leaked resources."""

import asyncio
import time

from tests.chaos.model import Verdict
from tests.chaos.progress import progress
from tests.chaos.world.service import SLOW_STOP, Usage
from tests.chaos.world.world import World

STUCK = 10.0
"""Seconds within which each service must make progress once its database can be reached."""
_PATIENCE = 150.0
"""Seconds to wait for a stuck service, so that the report has the time of its recovery."""
_GRACE = 10.0
"""Seconds after a fault for which errors are still attributed to it."""
_MORE_MEGABYTES = 80.0
_MORE_DESCRIPTORS = 20
_ALARMING = frozenset({"error", "critical"})


class Watch:
    def __init__(self, world: World) -> None:
        self._world = world
        self.verdicts: list[Verdict] = []
        self.lag = 0.0
        """The longest delay of this process's event loop; limits grow with it, since a busy machine slows everything down."""
        self.recoveries: dict[str, float] = {}
        """The longest recovery of each service after a fault."""
        self.before: dict[str, Usage] = {}
        self.after: dict[str, Usage] = {}

    async def run(self) -> None:
        """Check every second, for the whole run."""
        while True:
            started = time.monotonic()
            await asyncio.sleep(1.0)
            self.lag = max(self.lag, time.monotonic() - started - 1.0)
            for service in self._world.services.values():
                service.check_alive()
                if service.died and not self._world.disturbed:
                    await service.bring_up()

    @property
    def _limit(self) -> float:
        return STUCK + 4 * self.lag

    async def recovered(self, fault: str) -> None:
        """Wait until every service makes progress after a fault, and check how long it took."""
        took = await self._world.recovered(self._limit)
        progress(f"recovered: {', '.join(f'{name} {seconds:.1f} s' for name, seconds in took.items())}")
        missing = [name for name in self._world.probes if name not in took]
        if missing:
            late = await self._world.recovered(_PATIENCE)
            for name in missing:
                after = f"{self._limit + late[name]:.1f} s" if name in late else f"more than {_PATIENCE:.0f} s"
                self._verdict(
                    "stuck", name, f"after {fault} it sent nothing new for {after}, with its database reachable"
                )
            took |= {name: self._limit + late.get(name, _PATIENCE) for name in missing}
        for name, seconds in took.items():
            self.recoveries[name] = max(self.recoveries.get(name, 0.0), seconds)

    def note_before(self) -> None:
        """Record resource usage with connected clients, before the first fault."""
        self.before = self._usages()

    def check_leftovers(self) -> None:
        """Compare resource usage without clients with that at the start."""
        self.after = self._usages()
        for name, now in self.after.items():
            first = self._world.services[name].first
            warm = self.before.get(name, now)
            if first is not None and now.descriptors > first.descriptors + _MORE_DESCRIPTORS:
                self._verdict(
                    "descriptors", name, f"{first.descriptors} at its start, {now.descriptors} without clients"
                )
            if now.megabytes > warm.megabytes + _MORE_MEGABYTES:
                self._verdict("memory", name, f"{warm.megabytes:.0f} MB when warm, {now.megabytes:.0f} MB at the end")

    def conclude(self) -> list[Verdict]:
        """Return the verdicts of the whole run."""
        for service in self._world.services.values():
            for death in service.deaths:
                self._verdict("died", service.name, death)
            for stop in service.stops:
                if stop.seconds > SLOW_STOP + 4 * self.lag:
                    self._verdict("slow-stop", service.name, f"{stop.seconds:.1f} s to stop, status {stop.status}")
                elif stop.status != 0:
                    self._verdict("exit-status", service.name, f"status {stop.status} after SIGTERM")
        self._judge_answers()
        self._judge_logs()
        return self.verdicts

    def _judge_answers(self) -> None:
        for asked, answered, what, status in self._world.answers:
            if status == 500:
                self._verdict("http-500", what, "an internal error")
            elif status > 500 and not self._disturbed(asked, answered):
                self._verdict("http-5xx", what, f"{status}, with no fault for {_GRACE:.0f} s before")
            elif status == 0 and not self._disturbed(asked, answered):
                self._verdict(
                    "no-answer", what, f"none in {answered - asked:.1f} s, with no fault for {_GRACE:.0f} s before"
                )

    def _judge_logs(self) -> None:
        seen: dict[tuple[str, str], int] = {}
        for log in self._world.journal.logs:
            if log.level in _ALARMING or "Traceback" in log.event:
                key = (log.service, log.event)
                seen[key] = seen.get(key, 0) + 1
                if seen[key] == 1:
                    self._verdict("error-line", log.service, log.line[:2000])

    def _disturbed(self, started: float, ended: float) -> bool:
        """Whether a fault was active between these times, or shortly before."""
        return any(
            fault.began <= ended and (fault.ended is None or fault.ended >= started - _GRACE)
            for fault in self._world.journal.faults
        )

    def _usages(self) -> dict[str, Usage]:
        found = {name: service.usage() for name, service in self._world.services.items()}
        return {name: usage for name, usage in found.items() if usage is not None}

    def _verdict(self, kind: str, subject: str, detail: str) -> None:
        self.verdicts.append(Verdict(kind, subject, detail))
