import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Ladder, type LadderHooks } from "../src/ladder.js";
import { TIMING } from "../src/timing.js";
import type { FeedStatus, Transport } from "../src/types.js";
import { lost, named, type End, type WireEvents } from "../src/wire.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

interface Opened extends WireEvents {
  readonly transport: Transport | null;
  readonly cursor: string | null;
  closed: boolean;
  checked: number;
}

/** A ladder whose wires do what the test says; without jitter. */
function climber(renew: LadderHooks["renew"] = () => Promise.resolve("refused")): {
  ladder: Ladder;
  wires: Opened[];
  at: { cursor: string };
  newest: (transport: Transport | null) => Opened;
  statuses: FeedStatus[];
} {
  const wires: Opened[] = [];
  const statuses: FeedStatus[] = [];
  const at = { cursor: "c0" };
  const way = (transport: Transport | null): ConstructorParameters<typeof Ladder>[0][number] => ({
    transport,
    open: (cursor, events) => {
      const wire: Opened = { ...events, transport, cursor, closed: false, checked: 0 };
      wires.push(wire);
      return { claim: null, check: () => wire.checked++, renewed: () => {}, close: () => (wire.closed = true) };
    },
  });
  const hooks: LadderHooks = { cursor: () => at.cursor, inbox: () => () => {}, renew, changed: (status) => statuses.push(status) };
  const ladder = new Ladder([way("websocket"), way("sse"), way("polling"), way(null)], hooks, TIMING, () => 0);
  const newest = (transport: Transport | null): Opened => {
    const wire = wires.filter((one) => one.transport === transport).at(-1);
    if (!wire) throw new Error(`no ${transport} was opened`);
    return wire;
  };
  return { ladder, wires, at, newest, statuses };
}

const ways = (wires: readonly Opened[]): (Transport | null)[] => wires.map(({ transport }) => transport);

test("the highest way comes first, and is live when it says so", () => {
  const { ladder, wires, newest } = climber();
  expect(ladder.status.state).toBe("idle");
  ladder.start();
  expect(ladder.status).toMatchObject({ state: "connecting", transport: null });
  newest("websocket").live();
  newest("websocket").latency(9);
  expect(ladder.status).toMatchObject({ state: "live", transport: "websocket", latency: 9 });
  expect(ways(wires)).toEqual(["websocket"]);
});

test("a way that fails leads at once to the next below, from the cursor of the moment", () => {
  const { ladder, wires, at, newest } = climber();
  ladder.start();
  newest("websocket").live();
  at.cursor = "c7";
  newest("websocket").end(lost("cut"));
  newest("sse").end(lost("refused"));
  expect(ways(wires)).toEqual(["websocket", "sse", "polling"]);
  expect(wires.map(({ cursor }) => cursor)).toEqual(["c0", "c7", "c7"]);
  newest("polling").live();
  newest("polling").interval(2000);
  expect(ladder.status).toMatchObject({ state: "live", transport: "polling", interval: 2000 });
});

test("a higher way is tried beside the one that runs, which is closed only when the other is live", async () => {
  const { ladder, wires, newest } = climber();
  ladder.start();
  newest("websocket").end(lost("refused"));
  const lower = newest("sse");
  lower.live();
  await vi.advanceTimersByTimeAsync(TIMING.climb);
  expect(ways(wires)).toEqual(["websocket", "sse", "websocket"]);
  expect([lower.closed, ladder.status.transport]).toEqual([false, "sse"]);
  newest("websocket").live();
  expect([lower.closed, ladder.status.transport]).toEqual([true, "websocket"]);
});

test("attempts at a higher way become rare, and it stays live below meanwhile", async () => {
  const { ladder, wires, newest } = climber();
  ladder.start();
  newest("websocket").end(lost("refused"));
  newest("sse").live();
  const times: number[] = [];
  for (let tries = 0; tries < 8; tries++) {
    const before = performance.now();
    while (wires.filter(({ transport }) => transport === "websocket").length < tries + 2) await vi.advanceTimersByTimeAsync(10);
    times.push(performance.now() - before);
    newest("websocket").end(lost("refused"));
    expect(ladder.status).toMatchObject({ state: "live", transport: "sse" });
  }
  expect(times[0]).toBeLessThan(TIMING.climb);
  expect(times.at(-1)).toBeGreaterThan((times[0] ?? 0) * 5);
});

test("where nothing works it is offline, tries again from the top, and does not flicker", async () => {
  const { ladder, wires, newest, statuses } = climber();
  ladder.start();
  for (let round = 0; round < 3; round++) {
    for (const transport of ["websocket", "sse", "polling"] as const) newest(transport).end(lost("no network"));
    expect(ladder.status.state).toBe("offline");
    await vi.advanceTimersByTimeAsync(TIMING.roundMost);
  }
  expect(ways(wires).slice(0, 6)).toEqual(["websocket", "sse", "polling", "websocket", "sse", "polling"]);
  const states = statuses.map(({ state }) => state);
  expect(states.slice(states.indexOf("offline"))).not.toContain("connecting");
  newest("websocket").live();
  expect(ladder.status).toMatchObject({ state: "live", problem: null });
});

test("the network's return is not waited for", () => {
  const { ladder, wires, newest } = climber();
  ladder.start();
  for (const transport of ["websocket", "sse", "polling"] as const) newest(transport).end(lost("no network"));
  ladder.wake();
  expect(wires).toHaveLength(4);
});

test("a goodbye's time is honoured", async () => {
  const { ladder, wires, newest } = climber();
  ladder.start();
  newest("websocket").live();
  newest("websocket").end(named("restart", "", 8000));
  newest("sse").live();
  ladder.wake();
  await vi.advanceTimersByTimeAsync(7990);
  expect(ways(wires)).toEqual(["websocket", "sse"]);
  await vi.advanceTimersByTimeAsync(20);
  expect(ways(wires)).toEqual(["websocket", "sse", "websocket"]);
});

test("where all ask for patience nobody is asked before", async () => {
  const { ladder, wires, newest } = climber();
  ladder.start();
  for (const transport of ["websocket", "sse", "polling"] as const) newest(transport).end({ ...lost("busy"), retry: 9000 });
  await vi.advanceTimersByTimeAsync(8990);
  expect(wires).toHaveLength(3);
  await vi.advanceTimersByTimeAsync(20);
  expect(wires).toHaveLength(4);
});

test("a way that refused us is not tried again in this page's life", async () => {
  const { ladder, wires, newest } = climber();
  ladder.start();
  newest("websocket").end(named("forbidden", "this Origin may not connect"));
  newest("sse").live();
  ladder.wake();
  await vi.advanceTimersByTimeAsync(600_000);
  expect(ways(wires)).toEqual(["websocket", "sse"]);
});

test("where every way has refused us it is over", () => {
  const { ladder, newest } = climber();
  ladder.start();
  for (const transport of ["websocket", "sse", "polling"] as const) newest(transport).end(named("forbidden", "no"));
  expect(ladder.status).toMatchObject({ state: "ended", problem: { code: "forbidden" } });
});

test("who was too slow comes back the same way at once", () => {
  const { ladder, wires, at, newest } = climber();
  ladder.start();
  newest("websocket").live();
  at.cursor = "c3";
  newest("websocket").end(named("too_slow", ""));
  expect(wires.map(({ transport, cursor }) => [transport, cursor])).toEqual([["websocket", "c0"], ["websocket", "c3"]]);
});

test("one of too many takes the way below, and is long in coming back", async () => {
  const { ladder, wires, newest } = climber();
  ladder.start();
  newest("websocket").end(named("too_many", ""));
  newest("sse").live();
  await vi.advanceTimersByTimeAsync(TIMING.climbMost / 10 - 10);
  expect(ways(wires)).toEqual(["websocket", "sse"]);
  await vi.advanceTimersByTimeAsync(20);
  expect(ways(wires)).toEqual(["websocket", "sse", "websocket"]);
});

test("with a new token the same way again; refused once more it is over", async () => {
  const { ladder, wires, newest } = climber(() => Promise.resolve("renewed"));
  ladder.start();
  const expired: End = named("token_expired", "the token has expired");
  newest("websocket").end(expired);
  await vi.advanceTimersByTimeAsync(0);
  expect(ways(wires)).toEqual(["websocket", "websocket"]);
  newest("websocket").live();
  newest("websocket").end(expired);
  await vi.advanceTimersByTimeAsync(0);
  newest("websocket").end(expired);
  await vi.advanceTimersByTimeAsync(0);
  expect(ladder.status).toMatchObject({ state: "ended", problem: { code: "unauthenticated" } });
});

test("without a new token it is over at once, unless nobody answered", async () => {
  const refused = climber(() => Promise.resolve("refused"));
  refused.ladder.start();
  refused.newest("websocket").end(named("token_expired", ""));
  await vi.advanceTimersByTimeAsync(0);
  expect(refused.ladder.status.state).toBe("ended");
  const alone = climber(() => Promise.resolve("lost"));
  alone.ladder.start();
  alone.newest("websocket").end(named("token_expired", ""));
  await vi.advanceTimersByTimeAsync(0);
  expect(alone.ladder.status.state).toBe("offline");
});

test("the one that is being tried above takes over when the lower one fails", async () => {
  const { ladder, wires, newest } = climber();
  ladder.start();
  newest("websocket").end(lost("refused"));
  newest("sse").live();
  await vi.advanceTimersByTimeAsync(TIMING.climb);
  newest("sse").end(lost("cut"));
  expect(ladder.status.state).toBe("connecting");
  newest("websocket").live();
  expect(ladder.status).toMatchObject({ state: "live", transport: "websocket" });
  expect(ways(wires)).toEqual(["websocket", "sse", "websocket"]);
});

test("without a network it is offline at once, and live again when the stream says otherwise", () => {
  const { ladder, newest } = climber();
  ladder.start();
  newest("websocket").live();
  ladder.offline();
  expect(ladder.status.state).toBe("offline");
  expect(newest("websocket").checked).toBe(1);
  newest("websocket").message({ type: "pong" });
  expect(ladder.status.state).toBe("live");
});

test("stopped, it is idle and nothing is open", async () => {
  const { ladder, wires, newest } = climber();
  ladder.start();
  newest("websocket").end(lost("refused"));
  newest("sse").live();
  ladder.stop();
  await vi.advanceTimersByTimeAsync(600_000);
  expect(ladder.status.state).toBe("idle");
  expect(wires.at(-1)?.closed).toBe(true);
  expect(wires).toHaveLength(2);
});

test("a stream that is not offered any more goes on until the one that is offered is live", () => {
  const { ladder, wires, at, newest } = climber();
  ladder.start();
  newest("websocket").live();
  at.cursor = "c4";
  newest("websocket").message({ type: "flags", realtime: "sse" });
  expect(wires.map(({ transport, cursor, closed }) => [transport, cursor, closed])).toEqual([["websocket", "c0", false], ["sse", "c4", false]]);
  expect(ladder.status).toMatchObject({ state: "live", transport: "websocket", realtime: "sse" });
  newest("sse").live();
  expect(ladder.status).toMatchObject({ state: "live", transport: "sse" });
  expect(wires[0]?.closed).toBe(true);
});

test("to polling, and to nothing, it goes at once, and takes its cursor along", () => {
  const { ladder, wires, at, newest } = climber();
  ladder.start();
  newest("websocket").live();
  at.cursor = "c4";
  newest("websocket").message({ type: "flags", realtime: "poll" });
  newest("polling").live();
  expect(ladder.status).toMatchObject({ state: "live", transport: "polling", realtime: "poll" });
  at.cursor = "c5";
  newest("polling").message({ type: "flags", realtime: "off" });
  newest(null).live();
  expect(ladder.status).toMatchObject({ state: "off", transport: null, realtime: "off" });
  expect(wires.map(({ transport, cursor, closed }) => [transport, cursor, closed])).toEqual([
    ["websocket", "c0", true],
    ["polling", "c4", true],
    [null, "c5", false],
  ]);
});

test("what is offered again is taken at once, whatever failed before", async () => {
  const { ladder, wires, newest } = climber();
  ladder.start();
  newest("websocket").end(lost("refused"));
  newest("sse").live();
  newest("sse").message({ type: "flags", realtime: "poll" });
  newest("polling").live();
  await vi.advanceTimersByTimeAsync(600_000);
  expect(ways(wires)).toEqual(["websocket", "sse", "polling"]);
  newest("polling").message({ type: "flags", realtime: "websocket" });
  expect(ways(wires).slice(3)).toEqual(["websocket"]);
  expect(ladder.status).toMatchObject({ state: "live", transport: "polling" });
  newest("websocket").live();
  expect(ladder.status).toMatchObject({ state: "live", transport: "websocket" });
  expect(wires[2]?.closed).toBe(true);
});

test("from nothing it goes to the best that is offered, and down from there as ever", () => {
  const { ladder, wires, newest } = climber();
  ladder.steer("off");
  ladder.start();
  newest(null).live();
  newest(null).message({ type: "flags", realtime: "websocket" });
  newest("websocket").end(lost("refused"));
  newest("sse").live();
  expect(ladder.status).toMatchObject({ state: "live", transport: "sse" });
  expect(ways(wires)).toEqual([null, "websocket", "sse"]);
});

test("what is known before it begins is obeyed, and auth_success says the same", () => {
  const { ladder, wires, newest } = climber();
  ladder.steer("sse");
  ladder.start();
  newest("sse").live();
  newest("sse").message({ type: "auth_success", resume: "resumed", boards: [], cursor: "c1", realtime: "sse" });
  expect(ways(wires)).toEqual(["sse"]);
  newest("sse").message({ type: "auth_success", resume: "resumed", boards: [], cursor: "c1", realtime: "poll" });
  expect(ways(wires)).toEqual(["sse", "polling"]);
});

test("where the offered stream does not get through at once it is tried again while there is time", async () => {
  const { ladder, wires, newest } = climber();
  ladder.start();
  newest("websocket").live();
  newest("websocket").message({ type: "flags", realtime: "sse" });
  newest("sse").end(lost("overloaded"));
  expect(ladder.status).toMatchObject({ state: "live", transport: "websocket" });
  await vi.advanceTimersByTimeAsync(TIMING.climb);
  newest("sse").live();
  expect(ladder.status).toMatchObject({ state: "live", transport: "sse" });
  expect(ways(wires)).toEqual(["websocket", "sse", "sse"]);
});

test("when the time is over it goes on down, and does not come back to what is not offered", async () => {
  const { ladder, wires, newest } = climber();
  ladder.start();
  newest("websocket").live();
  newest("websocket").message({ type: "flags", realtime: "sse" });
  newest("sse").end(lost("refused"));
  newest("websocket").end(named("not_offered", "", 60_000));
  newest("sse").end(lost("refused"));
  newest("polling").live();
  await vi.advanceTimersByTimeAsync(TIMING.climb * 2);
  newest("sse").live();
  await vi.advanceTimersByTimeAsync(600_000);
  expect(ways(wires)).toEqual(["websocket", "sse", "sse", "polling", "sse"]);
});

test("a stream that is cut while it is left leaves the other to go on", () => {
  const { ladder, wires, newest } = climber();
  ladder.start();
  newest("websocket").live();
  newest("websocket").message({ type: "flags", realtime: "sse" });
  newest("websocket").end(named("not_offered", "", 60_000));
  newest("sse").live();
  expect(ladder.status).toMatchObject({ state: "live", transport: "sse" });
  expect(ways(wires)).toEqual(["websocket", "sse"]);
});

test("who is refused takes what is named, and its time to come back is that of the flags", async () => {
  const { ladder, wires, newest } = climber();
  ladder.start();
  newest("websocket").message({ type: "flags", realtime: "poll" });
  newest("polling").live();
  newest("polling").message({ type: "flags", realtime: "websocket" });
  newest("websocket").end(named("not_offered", "", 60_000));
  newest("sse").live();
  await vi.advanceTimersByTimeAsync(TIMING.climb);
  expect(ways(wires)).toEqual(["websocket", "polling", "websocket", "sse", "websocket"]);
});

test("without a network nothing that is not offered is tried", async () => {
  const { ladder, wires, newest } = climber();
  ladder.steer("poll");
  ladder.start();
  for (let round = 0; round < 3; round++) {
    newest("polling").end(lost("no network"));
    expect(ladder.status.state).toBe("offline");
    await vi.advanceTimersByTimeAsync(TIMING.roundMost);
  }
  expect(new Set(ways(wires))).toEqual(new Set(["polling"]));
});

test("a value that it does not know changes nothing", () => {
  const { ladder, wires, newest } = climber();
  ladder.start();
  newest("websocket").live();
  newest("websocket").message({ type: "flags", realtime: "toString" as "off" });
  newest("websocket").message({ type: "flags", realtime: "pigeons" as "off" });
  expect(ladder.status).toMatchObject({ state: "live", transport: "websocket", realtime: "websocket" });
  expect(wires).toHaveLength(1);
});
