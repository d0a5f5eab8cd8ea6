"""What a process that serves many clients asks of its system and of Python.

Invariant: nothing here changes what is served. A process of tests or of tools is left as it is: only the front door calls this.
"""

import contextlib
import gc
import resource

_YOUNG = 50_000
_OLDER = (20, 100)


def take_room() -> None:
    """Allow as many open files as the system lets us: a client is one, and the usual limit is 1,024."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # macOS has a limit of its own, below "none"
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def settle() -> None:
    """Once all is started: what is there stays, and is not looked through for garbage again.

    Events are freed when they are told, without a collector. At 10,000 of them a second it would run a dozen times a second, and
    look through all clients every few seconds, while all wait.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, *_OLDER)
