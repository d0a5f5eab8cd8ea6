"""Process-wide settings for serving many clients.

Invariant: nothing here changes what is served. Only the command line calls these functions, so tests and tools keep the defaults.
"""

import contextlib
import gc
import resource

_GC_YOUNG_THRESHOLD = 50_000
_GC_OLDER_THRESHOLDS = (20, 100)


def raise_file_limit() -> None:
    """Raise the limit on open files to the maximum: each client needs one, and the usual limit is 1,024."""
    _, hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(
        ValueError, OSError
    ):  # macOS has a lower limit of its own, even if this one is "unlimited"
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard_limit, hard_limit))


def freeze_gc() -> None:
    """Exclude everything that exists after the start from garbage collection, and collect less often.

    Events are freed by reference counting when they have been delivered. At 10,000 events a second, the default thresholds would
    run the collector a dozen times a second and traverse all clients every few seconds, while everything waits.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GC_YOUNG_THRESHOLD, *_GC_OLDER_THRESHOLDS)
