"""Writers in a separate process: `python -m tests.bench.writers URL RATE COUNT WRITERS ROWS SIZE FIRST`.

Invariant: open loop. A statement is due at its time even if the one before it has not ended, and is measured from when it was due,
so a stall counts for every write that it delays. RATE is in rows per second; 0 starts each statement when the one before it has
ended. SIZE is the number of rows per statement. Marks start at FIRST, because writing a mark again would cause no event. Prints a
JSON list of [mark, due, ended], one per row, in ns of the monotonic clock.
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

    def write(number: int) -> None:
        rng = random.Random(number)
        with psycopg.connect(url, autocommit=True) as conn:
            for first in range(number * size, count, writers * size):
                due = begin + first * 1_000_000_000 // rate if rate else time.monotonic_ns()
                if (early := due - time.monotonic_ns()) > 0:
                    time.sleep(early / 1e9)
                marks = range(base + first, base + min(first + size, count))
                # Each card belongs to one writer, so none waits for another's commit.
                cards = [f"o{n * writers + number}" for n in rng.sample(range(rows // writers), len(marks))]
                if size == 1:
                    conn.execute(_ONE, (str(marks[0]), cards[0]), prepare=True)
                else:
                    conn.execute(_MANY, ([str(mark) for mark in marks], cards), prepare=True)
                ended = time.monotonic_ns()
                done.extend((mark, due, ended) for mark in marks)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    json.dump(done, sys.stdout)


if __name__ == "__main__":
    main()
