"""Writers in a process of their own: `python -m tests.bench.writers URL RATE SECONDS WRITERS ROWS`.

Invariant: open loop. A write is due at its time whether or not the one before it has ended, and is measured from when it was due;
so a stall is counted for every write that it held up. Prints one JSON list of [mark, due, ended], in ns of the monotonic clock.
"""

import json
import random
import sys
import threading
import time

import psycopg

_WRITE = "UPDATE opportunities SET company = %s WHERE id = %s"


def main() -> None:
    url = sys.argv[1]
    rate, seconds, writers, rows = map(int, sys.argv[2:6])
    begin = time.monotonic_ns() + 500_000_000
    done: list[tuple[int, int, int]] = []

    def write(place: int) -> None:
        chance = random.Random(place)
        with psycopg.connect(url, autocommit=True) as conn:
            for mark in range(place, rate * seconds, writers):
                due = begin + mark * 1_000_000_000 // rate
                if (early := due - time.monotonic_ns()) > 0:
                    time.sleep(early / 1e9)
                # A card belongs to one writer, as it does to one person: none waits for another's commit.
                row = chance.randrange(rows // writers) * writers + place
                conn.execute(_WRITE, (str(mark), f"o{row}"), prepare=True)
                done.append((mark, due, time.monotonic_ns()))

    threads = [threading.Thread(target=write, args=(place,)) for place in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    json.dump(done, sys.stdout)


if __name__ == "__main__":
    main()
