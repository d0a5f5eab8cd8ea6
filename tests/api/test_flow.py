"""The flow of a board: time in stage, conversion, cumulative flow, and cycle time, from the log."""

import random
from datetime import datetime
from typing import Any

import httpx

from tests.api.harness import Api, problem

FLOW = "/api/boards/vendas/flow"

# What the flow counts, from the rows of the log alone: no index, no window, no copy.
PLAIN = """
WITH moves AS (
    SELECT l.key, l.seq, l.at, CASE WHEN l.op <> 'delete' THEN l.new ->> 'phase' END AS phase
    FROM feed.log AS l
    WHERE l.relation = 'opportunities' AND l.board = 'vendas' AND l.at <= %(as_of)s
      AND (l.op IN ('insert', 'delete') OR l.old ->> 'phase' <> l.new ->> 'phase')
), visits AS (
    SELECT m.key, m.phase, m.at AS entered, (SELECT min(n.at) FROM moves AS n WHERE n.key = m.key AND n.seq > m.seq) AS left_at,
           (SELECT n.phase FROM moves AS n WHERE n.key = m.key AND n.seq > m.seq ORDER BY n.seq LIMIT 1) AS next,
           (SELECT min(n.at) FROM moves AS n WHERE n.key = m.key) AS started
    FROM moves AS m
)
SELECT v.phase,
       count(*) FILTER (WHERE v.entered >= %(since)s AND v.entered < %(until)s) AS entered,
       count(*) FILTER (WHERE v.entered < %(until)s AND v.left_at >= %(since)s AND v.left_at < %(until)s) AS left,
       count(*) FILTER (WHERE v.entered < %(until)s AND (v.left_at IS NULL OR v.left_at >= %(until)s)) AS present,
       count(*) FILTER (WHERE v.entered >= %(since)s AND v.entered < %(until)s AND v.next = 'won') AS to_won,
       count(*) FILTER (WHERE v.entered >= %(since)s AND v.entered < %(until)s) AS entries,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM v.left_at - v.entered)::float8)
           FILTER (WHERE v.entered < %(until)s AND v.left_at >= %(since)s AND v.left_at < %(until)s) AS median,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM v.entered - v.started)::float8)
           FILTER (WHERE v.entered >= %(since)s AND v.entered < %(until)s) AS cycle
FROM visits AS v WHERE v.phase IS NOT NULL GROUP BY v.phase
"""

WRITES = """
DO $$
DECLARE
    phases text[] := '{prospecting,qualification,proposal,negotiation,won,lost}';
    some_card text;
BEGIN
    FOR n IN 1..40 LOOP
        INSERT INTO opportunities (id, board_id, phase, title) VALUES ('f' || n, 'vendas', phases[1 + n % 3], 'Flow ' || n);
    END LOOP;
    FOR n IN 1..400 LOOP
        some_card := 'f' || 1 + floor(random() * 40)::integer;
        IF n % 25 = 0 THEN
            DELETE FROM opportunities WHERE id = some_card;
        ELSIF n % 3 = 0 THEN
            UPDATE opportunities SET value = n WHERE id = some_card;
        ELSE
            UPDATE opportunities SET phase = phases[1 + floor(random() * 6)::integer] WHERE id = some_card;
        END IF;
    END LOOP;
END
$$
"""


async def test_the_flow_is_that_of_plain_sql_over_the_log_at_100_moments(api: Api, diego: httpx.AsyncClient) -> None:
    await api.database.execute(WRITES)
    ends = await api.database.execute(
        "SELECT min(at) AS first, max(at) AS last FROM feed.log WHERE relation = 'opportunities' AND key LIKE 'f%'"
    )
    first, last = ends[0]["first"], ends[0]["last"]
    chosen = random.Random(7)
    for _ in range(100):
        moments = sorted(first + (last - first) * chosen.uniform(-0.05, 1.05) for _ in range(2))
        as_of = first + (last - first) * chosen.uniform(0, 1.1)
        period = {"since": moments[0], "until": moments[1], "as_of": as_of}
        answer = await diego.get(FLOW, params=parameters(**period))
        flow = answer.json()["flow"]
        wanted = {row["phase"]: row for row in await api.database.execute(PLAIN, period)}
        for stage in flow["stages"]:
            plain = wanted.pop(
                stage["phase"], dict.fromkeys(("entered", "left", "present", "to_won"), 0) | {"median": None}
            )
            assert {name: stage[name] for name in ("entered", "left", "present")} == {
                name: plain[name] for name in ("entered", "left", "present")
            }
            assert sum(leave["cards"] for leave in stage["exits"] if leave["phase"] == "won") == plain["to_won"]
            assert stage["medianSeconds"] == plain["median"]
            assert not stage["cards"] or stage["cards"][-1] == stage["present"]
            for cycle in flow["cycle"]:
                if cycle["kind"] == stage["phase"]:
                    assert (cycle["cards"], cycle["medianSeconds"]) == (plain["entries"], plain["cycle"])
                    assert sum(cycle["buckets"]) == cycle["cards"]
        assert not [row for row in wanted.values() if row["entered"] or row["left"] or row["present"]]


async def test_each_bar_opens_into_its_cards(api: Api, ana: httpx.AsyncClient) -> None:
    card = await api.card(title="Through all")
    path = f"/api/opportunities/{card['id']}"
    for phase in ("negotiation", "won"):
        assert (await ana.patch(path, json={"phase": phase}, headers={"If-Match": "*"})).status_code == 200
    flow = (await ana.get(FLOW, params={"since": "1h"})).json()["flow"]
    stages = {stage["phase"]: stage for stage in flow["stages"]}
    assert {"phase": "negotiation", "cards": 1} in stages["proposal"]["exits"]
    bars: list[dict[str, Any]] = [
        {"chart": "time", "phase": "negotiation"},
        {"chart": "exit", "phase": "proposal", "next": "negotiation"},
        {"chart": "entered", "phase": "negotiation"},
        {"chart": "present", "phase": "won"},
        {"chart": "cycle", "phase": "won", "bucket": 0},
        {"chart": "cycle", "phase": "won"},
    ]
    for bar in bars:
        found = (await ana.get(f"{FLOW}/cards", params={"since": "1h"} | bar)).json()
        assert "Through all" in [each["title"] for each in found["cards"]], bar
        assert found["total"] == len(found["cards"])
    assert (await ana.delete(path, headers={"If-Match": "*"})).status_code == 204
    gone = (await ana.get(f"{FLOW}/cards", params={"chart": "exit", "phase": "won", "since": "1h"})).json()
    assert [(each["id"], each["title"]) for each in gone["cards"]] == [(card["id"], None)]
    earlier = (await ana.get(FLOW, params={"since": "2h", "at": "1h"})).json()
    assert earlier["flow"]["stages"] == []


async def test_all_roles_read_the_flow_and_strangers_do_not_learn_of_the_board(
    api: Api, ana: httpx.AsyncClient, diego: httpx.AsyncClient, stranger: httpx.AsyncClient
) -> None:
    for path in (FLOW, f"{FLOW}/cards?chart=present&phase=won"):
        assert (await ana.get(path)).status_code == (await diego.get(path)).status_code == 200
        problem(await stranger.get(path), "unknown-board")
        assert (await (await api.client()).get(path)).status_code == 401


async def test_bad_queries_are_refused(ana: httpx.AsyncClient) -> None:
    texts = (
        "yesterday",
        "",
        "now()",
        "2027-13-01",
        "9" * 400 + "d",
        "1h'; DROP TABLE x",
        "\u202e",
        "-1d",
        "1e9s",
        "NaN",
    )
    bad: list[dict[str, Any]] = [
        *({"since": text} for text in texts),
        *({"at": text} for text in texts[:4]),
        {"since": "1h", "until": "2h"},
        {"since": "2027-01-01", "until": "2027-01-01"},
        {"unknown": "x"},
    ]
    for query in bad:
        problem(await ana.get(FLOW, params=query), "invalid-input")
    bar = {"chart": "cycle", "phase": "won"}
    for change in (
        {"chart": "none"},
        {"phase": ""},
        {"bucket": "8"},
        {"bucket": "-1"},
        {"limit": "0"},
        {"limit": "1001"},
    ):
        problem(await ana.get(f"{FLOW}/cards", params=bar | change), "invalid-input")
    for phase in ("'; --", "%s", "\\", "x" * 200, "ж", "won\n"):
        assert (await ana.get(f"{FLOW}/cards", params={"chart": "present", "phase": phase})).json()["cards"] == []
    far = await ana.get(FLOW, params={"since": "0001-01-01", "until": "9999-12-31T23:59:59", "at": "9999-12-31"})
    assert far.status_code == 200, far.text


def parameters(since: datetime, until: datetime, as_of: datetime) -> dict[str, str]:
    return {"since": since.isoformat(), "until": until.isoformat(), "at": as_of.isoformat()}
