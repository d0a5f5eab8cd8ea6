"""Boardcast beside four that would be used instead, in turns: stack (a), socket.io (b), pg-sse (c) and the naive trigger (d).

Each has its server's process on one core and everything else on the other, the same rows (in tables of its own, without
boardcast's triggers and with the original design's), the same writers, clients and checks (tests/bench/contest.py). What is told
of a change is the same: the columns that changed, who, when. Boardcast's says also where it belongs (board, seq, xid, version, a
cursor), so it has 325 bytes where theirs have about 200, and the naive trigger's is the whole row, 610 bytes. What the peers'
JavaScript writers do beside the row, publishing, is done in their process, so it is in nobody's figures; boardcast's processor
time has its reading of the log in it. A peer whose clients lost events is told of with their count; its figures stand as they
are, which is in its favour.
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
                    _tell(say, f"burst, {clients:,} clients: {done.deliveries / done.cpu:,.0f} deliveries/CPU-s", done)
                done = await steady(serving, CLIENTS, RATE, seconds)
                steadies[serving.name].append(done)
                told = summary(done.waits)
                _tell(say, f"{RATE} writes/s: median {told['median']:.1f} ms, p99 {told['p99']:.1f} ms", done)
    table = {name: _row(bursts[name], steadies[name]) for name in bursts}
    return [*_efficiency(bursts, table), _latency(steadies)]


def _tell(say: Callable[[str], None], text: str, done: Run) -> None:
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
            what = (
                f"deliveries per CPU-second of the serving process, burst, {clients:,} clients, against {TITLES[name]}"
            )
            value = ours / _per_cpu(bursts[name][clients])
            detail = {} if figures else {"peers": table}
            figures.append(Figure(f"{name}_{clients}", what, value, "×", aim, more=True, detail=detail))
    return figures


def _latency(steadies: Mapping[str, Sequence[Run]]) -> Figure:
    p99 = {name: summary(wait for one in runs for wait in one.waits)["p99"] for name, runs in steadies.items()}
    best = min(value for name, value in p99.items() if name != OURS)
    what = f"commit → client p99 at {RATE} writes/s, {CLIENTS} clients, against the best of the other four"
    return Figure("steady_p99", what, p99[OURS] / best, "×", 1, more=False, detail={"p99_ms": p99})
