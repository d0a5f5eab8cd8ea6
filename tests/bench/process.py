"""The CPU time and memory of a process, from the operating system."""

import time
from pathlib import Path

_SCHED = 2  # CPUCLOCK_SCHED of linux/posix-timers.h: nanoseconds on a processor, of all threads, in the program and the kernel


class Process:
    def __init__(self, pid: int) -> None:
        self.pid = pid

    def cpu(self) -> float:
        """Return the CPU seconds so far, user and kernel."""
        return time.clock_gettime(~self.pid << 3 | _SCHED)

    def memory(self) -> tuple[float, float]:
        """Return the current and the peak resident memory in MB."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        lines = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
        return int(lines["VmRSS"].split()[0]) / 1000, int(lines["VmHWM"].split()[0]) / 1000

    def reset_memory(self) -> None:
        """Reset the peak to the current memory."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5", encoding="ascii")
