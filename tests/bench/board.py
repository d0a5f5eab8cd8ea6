"""`python -m tests.bench.board`: the scenarios that measure the board in Chromium."""

import sys

from tests.bench.__main__ import main

if __name__ == "__main__":
    sys.exit(main(["board", "first_load", *sys.argv[1:]]))
