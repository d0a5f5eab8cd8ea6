"""boardcast and four alternatives, in turns: Express + ws + Redis, socket.io, pg-sse, and a naive trigger with aiohttp.

Each server process has a core to itself, and everything else uses the other core. All stacks have the same rows, writers, clients,
and checks (`tests/bench/contest.py`). The peers have their own tables, with the triggers of the original design instead of
boardcast's. All messages contain the changed columns, who changed them, and when. boardcast's messages also say where the change
belongs (board, seq, xid, version, cursor), and are 325 bytes long. The peers' messages are about 200 bytes long, except those of
the naive trigger: these contain the whole row, in 610 bytes.

The peers' JavaScript writers also publish each change. No figure includes the CPU time for this, whereas boardcast's figures
include reading the log. If a peer's clients lose events, the table says how many. The peer's figures are reported nevertheless,
which favors the peer. The bursts are shorter than in `burst` (3,000 writes with 100 clients, 300 with 1,000), so boardcast's
figures differ.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean

from tests.bench.contest import Run, burst, steady
from tests.bench.figure import Figure
from tests.bench.peer import ALL
from tests.bench.quantile import curve, summary
from tests.bench.stage import Stage

ROUNDS = 2
BURSTS = {100: 3000, 1000: 300}
"""Clients, and writes."""
RATE = 500
CLIENTS = 100
OURS = "boardcast"
AIMS = {"stack": 10, "socket_io": 5, "pg_sse": 5}
TITLES = {
    "boardcast": "boardcast",
    "stack": "Express + ws + Redis",
    "socket_io": "socket.io + PostgreSQL adapter",
    "pg_sse": "pg-sse",
    "naive": "naive trigger + aiohttp",
}

Bursts = dict[str, dict[int, list[Run]]]


async def run(on: Stage, say: Callable[[str], None]) -> list[Figure]:
    seconds = on.lasting(6)
    bursts: Bursts = defaultdict(lambda: defaultdict(list))
    steadies: dict[str, list[Run]] = defaultdict(list)
    for round_ in range(1, ROUNDS + 1):
        for peer in ALL:
            async with peer(on) as serving:
                say(f"round {round_} of {ROUNDS}: {TITLES[serving.name]}")
                for clients, writes in BURSTS.items():
                    done = await burst(serving, clients, writes)
                    bursts[serving.name][clients].append(done)
                    _print(say, f"burst, {clients:,} clients: {done.deliveries / done.cpu:,.0f} deliveries/CPU-s", done)
                done = await steady(serving, CLIENTS, RATE, seconds)
                steadies[serving.name].append(done)
                latency = summary(done.waits)
                _print(say, f"{RATE} writes/s: median {latency['median']:.1f} ms, p99 {latency['p99']:.1f} ms", done)
    table = {name: _row(bursts[name], steadies[name]) for name in bursts}
    return [*_efficiency(bursts, table), _latency(steadies)]


def _print(say: Callable[[str], None], text: str, done: Run) -> None:
    say(f"  {text}{'; ' + done.fault if done.fault else ''}")


def _per_cpu(runs: Sequence[Run]) -> float:
    return sum(one.deliveries for one in runs) / sum(one.cpu for one in runs)


def _row(bursts: Mapping[int, Sequence[Run]], steadies: Sequence[Run]) -> dict[str, object]:
    waits = [wait for one in steadies for wait in one.waits]
    runs = [*(one for of in bursts.values() for one in of), *steadies]
    return {
        **{f"deliveries_per_cpu_s_{clients}": round(_per_cpu(of)) for clients, of in bursts.items()},
        "steady_ms": summary(waits),
        "steady_curve_ms": curve(waits),
        "steady_core": fmean(one.cpu for one in steadies),
        "beside_per_serving_cpu": sum(one.beside for one in runs) / sum(one.cpu for one in runs),
        "faults": [one.fault for one in runs if one.fault],
    }


def _efficiency(bursts: Bursts, table: Mapping[str, object]) -> list[Figure]:
    figures: list[Figure] = []
    for clients in BURSTS:
        ours = _per_cpu(bursts[OURS][clients])
        for name, aim in AIMS.items():
            what = f"Deliveries per CPU-second of the server, burst, {clients:,} clients, relative to {TITLES[name]}"
            value = ours / _per_cpu(bursts[name][clients])
            detail = {} if figures else {"peers": table}
            figures.append(Figure(f"{name}_{clients}", what, value, "×", aim, more=True, detail=detail))
    return figures


def _latency(steadies: Mapping[str, Sequence[Run]]) -> Figure:
    p99 = {name: summary(wait for one in runs for wait in one.waits)["p99"] for name, runs in steadies.items()}
    best = min(value for name, value in p99.items() if name != OURS)
    what = f"Latency at {RATE} writes/s, {CLIENTS} clients, relative to the best of the other four: p99"
    return Figure("steady_p99", what, p99[OURS] / best, "×", 1, more=False, detail={"p99_ms": p99})
