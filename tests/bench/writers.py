"""Writers in a process of their own: `python -m tests.bench.writers URL RATE COUNT WRITERS ROWS SIZE FIRST`.

Invariant: open loop. A statement is due at its time whether or not the one before it has ended, and is measured from when it was
due; so a stall is counted for every write that it held up. RATE is rows a second; 0 is each statement as soon as the one before it
has ended. SIZE is rows in a statement; marks are from FIRST on, as one that is written again changes nothing and makes no event.
Prints one JSON list of [mark, due, ended], one for each row, in ns of the monotonic clock.
"""

import json
import random
import sys
import threading
import time

import psycopg

_ONE = "UPDATE opportunities SET company = %s WHERE id = %s"
_MANY = (
    "UPDATE opportunities AS o SET company = n.company "
    "FROM unnest(%s::text[], %s::text[]) AS n (company, id) WHERE o.id = n.id"
)


def main() -> None:
    url = sys.argv[1]
    rate, count, writers, rows, size, base = map(int, sys.argv[2:])
    begin = time.monotonic_ns() + 500_000_000
    done: list[tuple[int, int, int]] = []

    def write(place: int) -> None:
        chance = random.Random(place)
        with psycopg.connect(url, autocommit=True) as conn:
            for first in range(place * size, count, writers * size):
                due = begin + first * 1_000_000_000 // rate if rate else time.monotonic_ns()
                if (early := due - time.monotonic_ns()) > 0:
                    time.sleep(early / 1e9)
                marks = range(base + first, base + min(first + size, count))
                # A card belongs to one writer, as it does to one person: none waits for another's commit.
                cards = [f"o{n * writers + place}" for n in chance.sample(range(rows // writers), len(marks))]
                if size == 1:
                    conn.execute(_ONE, (str(marks[0]), cards[0]), prepare=True)
                else:
                    conn.execute(_MANY, ([str(mark) for mark in marks], cards), prepare=True)
                ended = time.monotonic_ns()
                done.extend((mark, due, ended) for mark in marks)

    threads = [threading.Thread(target=write, args=(place,)) for place in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    json.dump(done, sys.stdout)


if __name__ == "__main__":
    main()
