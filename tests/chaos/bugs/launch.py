"""`python -m tests.chaos.bugs.launch feed|api|up`: the product's command line with the bug named in BUG."""

import os
import sys

from tests.chaos.bugs.catalog import BUGS


def main() -> int:
    name = os.environ["BUG"]
    if name not in BUGS:
        sys.exit(f"unknown bug {name!r}; choose from {', '.join(BUGS)}")
    BUGS[name].apply()
    from boardcast import main as boardcast  # noqa: PLC0415 - the SQL must be patched before it is read

    return boardcast()


if __name__ == "__main__":
    sys.exit(main())
