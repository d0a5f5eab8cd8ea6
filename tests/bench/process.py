"""A process of the bench, and what the operating system says it costs."""

import time
from pathlib import Path

_SCHED = 2  # CPUCLOCK_SCHED of linux/posix-timers.h: nanoseconds on a processor, of all threads, in the program and the kernel


class Process:
    def __init__(self, pid: int) -> None:
        self.pid = pid

    def cpu(self) -> float:
        """Seconds of processor time so far, in the program and in the kernel for it."""
        return time.clock_gettime(~self.pid << 3 | _SCHED)

    def memory(self) -> tuple[float, float]:
        """Resident memory now and at its highest, in MB."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        lines = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
        return int(lines["VmRSS"].split()[0]) / 1000, int(lines["VmHWM"].split()[0]) / 1000

    def reset_memory(self) -> None:
        """Take what is resident now for the highest."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5", encoding="ascii")
