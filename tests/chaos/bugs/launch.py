"""`python -m tests.chaos.bugs.launch feed|api|up`: the product's command line, with the bug that BUG names."""

import os
import sys

from tests.chaos.bugs.catalog import BUGS


def main() -> int:
    name = os.environ["BUG"]
    if name not in BUGS:
        sys.exit(f"no bug is called {name!r}: there are {', '.join(BUGS)}")
    BUGS[name].apply()
    from boardcast import main as boardcast  # noqa: PLC0415 - SQL is changed before anything has read it

    return boardcast()


if __name__ == "__main__":
    sys.exit(main())
