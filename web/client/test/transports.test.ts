import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { TIMING } from "../src/timing.js";
import { connectionLost, endedByService, silent, type TransportEnd, type TransportEvents } from "../src/transport.js";
import { Transports, type TransportsHooks } from "../src/transports.js";
import type { FeedStatus, TransportName } from "../src/types.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

interface Opened extends TransportEvents {
  readonly name: TransportName | null;
  readonly cursor: string | null;
  closed: boolean;
  checked: number;
}

/** Fake transports that the test controls, without jitter. */
function setUp(renew: TransportsHooks["renew"] = () => Promise.resolve("refused")): {
  transports: Transports;
  opened: Opened[];
  at: { cursor: string };
  newest: (name: TransportName | null) => Opened;
  statuses: FeedStatus[];
  /** What the inbox does with a message. */
  receive: { message: () => void };
} {
  const opened: Opened[] = [];
  const statuses: FeedStatus[] = [];
  const at = { cursor: "c0" };
  const receive = { message: (): void => undefined };
  const factory = (name: TransportName | null): ConstructorParameters<typeof Transports>[0][number] => ({
    name,
    open: (cursor, events) => {
      const one: Opened = { ...events, name, cursor, closed: false, checked: 0 };
      opened.push(one);
      return { sendPresence: null, check: () => one.checked++, renewed: () => {}, close: () => (one.closed = true) };
    },
  });
  const hooks: TransportsHooks = { cursor: () => at.cursor, inbox: () => () => receive.message(), renew, changed: (status) => statuses.push(status) };
  const transports = new Transports([factory("websocket"), factory("sse"), factory("polling"), factory(null)], hooks, TIMING, () => 0);
  const newest = (name: TransportName | null): Opened => {
    const found = opened.filter((one) => one.name === name).at(-1);
    if (!found) throw new Error(`${name} was not opened`);
    return found;
  };
  return { transports, opened, at, newest, statuses, receive };
}

const names = (opened: readonly Opened[]): (TransportName | null)[] => opened.map(({ name }) => name);

test("the best transport is tried first, and is live when it reports so", () => {
  const { transports, opened, newest } = setUp();
  expect(transports.status.state).toBe("idle");
  transports.start();
  expect(transports.status).toMatchObject({ state: "connecting", transport: null });
  newest("websocket").live();
  newest("websocket").latency(9);
  expect(transports.status).toMatchObject({ state: "live", transport: "websocket", latency: 9 });
  expect(names(opened)).toEqual(["websocket"]);
});

test("a stream whose message could not be delivered is replaced by one at the cursor", () => {
  const uncaught = vi.fn();
  vi.stubGlobal("reportError", uncaught);
  const { transports, opened, at, newest, receive } = setUp();
  transports.start();
  const first = newest("websocket");
  first.live();
  at.cursor = "c3";
  const bug = new Error("a bug of this client");
  receive.message = () => {
    throw bug;
  };
  first.message({ type: "pong" });
  expect(uncaught.mock.calls).toEqual([[bug]]);
  expect(first.closed).toBe(true);
  expect(names(opened)).toEqual(["websocket", "sse"]);
  expect(newest("sse").cursor).toBe("c3");
  vi.unstubAllGlobals();
});

test("when a transport fails, the next one opens at once, at the newest cursor", () => {
  const { transports, opened, at, newest } = setUp();
  transports.start();
  newest("websocket").live();
  at.cursor = "c7";
  newest("websocket").end(connectionLost("cut"));
  newest("sse").end(connectionLost("refused"));
  expect(names(opened)).toEqual(["websocket", "sse", "polling"]);
  expect(opened.map(({ cursor }) => cursor)).toEqual(["c0", "c7", "c7"]);
  newest("polling").live();
  newest("polling").interval(2000);
  expect(transports.status).toMatchObject({ state: "live", transport: "polling", interval: 2000 });
});

test("a better transport is tried in the background, and replaces the current one when it is live", async () => {
  const { transports, opened, newest } = setUp();
  transports.start();
  newest("websocket").end(connectionLost("refused"));
  const lower = newest("sse");
  lower.live();
  await vi.advanceTimersByTimeAsync(TIMING.upgrade);
  expect(names(opened)).toEqual(["websocket", "sse", "websocket"]);
  expect([lower.closed, transports.status.transport]).toEqual([false, "sse"]);
  newest("websocket").live();
  expect([lower.closed, transports.status.transport]).toEqual([true, "websocket"]);
});

test("attempts to upgrade become rare, and the current transport stays live", async () => {
  const { transports, opened, newest } = setUp();
  transports.start();
  newest("websocket").end(connectionLost("refused"));
  newest("sse").live();
  const times: number[] = [];
  for (let tries = 0; tries < 8; tries++) {
    const before = performance.now();
    while (opened.filter(({ name }) => name === "websocket").length < tries + 2) await vi.advanceTimersByTimeAsync(10);
    times.push(performance.now() - before);
    newest("websocket").end(connectionLost("refused"));
    expect(transports.status).toMatchObject({ state: "live", transport: "sse" });
  }
  expect(times[0]).toBeLessThan(TIMING.upgrade);
  expect(times.at(-1)).toBeGreaterThan((times[0] ?? 0) * 5);
});

test("if nothing works, it is offline and tries all again, without flickering", async () => {
  const { transports, opened, newest, statuses } = setUp();
  transports.start();
  for (let round = 0; round < 3; round++) {
    for (const name of ["websocket", "sse", "polling"] as const) newest(name).end(connectionLost("no network"));
    expect(transports.status.state).toBe("offline");
    await vi.advanceTimersByTimeAsync(TIMING.retryMax);
  }
  expect(names(opened).slice(0, 6)).toEqual(["websocket", "sse", "polling", "websocket", "sse", "polling"]);
  const states = statuses.map(({ state }) => state);
  expect(states.slice(states.indexOf("offline"))).not.toContain("connecting");
  newest("websocket").live();
  expect(transports.status).toMatchObject({ state: "live", problem: null });
});

test("when the network returns, it connects at once", () => {
  const { transports, opened, newest } = setUp();
  transports.start();
  for (const name of ["websocket", "sse", "polling"] as const) newest(name).end(connectionLost("no network"));
  transports.wake();
  expect(opened).toHaveLength(4);
});

test("the retry time of a goodbye is respected", async () => {
  const { transports, opened, newest } = setUp();
  transports.start();
  newest("websocket").live();
  newest("websocket").end(endedByService("restart", "", 8000));
  newest("sse").live();
  transports.wake();
  await vi.advanceTimersByTimeAsync(7990);
  expect(names(opened)).toEqual(["websocket", "sse"]);
  await vi.advanceTimersByTimeAsync(20);
  expect(names(opened)).toEqual(["websocket", "sse", "websocket"]);
});

test("if all transports must wait, none is tried early", async () => {
  const { transports, opened, newest } = setUp();
  transports.start();
  for (const name of ["websocket", "sse", "polling"] as const) newest(name).end({ ...connectionLost("busy"), retryAfter: 9000 });
  await vi.advanceTimersByTimeAsync(8990);
  expect(opened).toHaveLength(3);
  await vi.advanceTimersByTimeAsync(20);
  expect(opened).toHaveLength(4);
});

test("a transport that is forbidden is not tried again", async () => {
  const { transports, opened, newest } = setUp();
  transports.start();
  newest("websocket").end(endedByService("forbidden", "this Origin may not connect"));
  newest("sse").live();
  transports.wake();
  await vi.advanceTimersByTimeAsync(600_000);
  expect(names(opened)).toEqual(["websocket", "sse"]);
});

test("if every transport is forbidden, it ends", () => {
  const { transports, newest } = setUp();
  transports.start();
  for (const name of ["websocket", "sse", "polling"] as const) newest(name).end(endedByService("forbidden", "no"));
  expect(transports.status).toMatchObject({ state: "ended", problem: { code: "forbidden" } });
});

test("a client that was too slow reconnects with the same transport at once", () => {
  const { transports, opened, at, newest } = setUp();
  transports.start();
  newest("websocket").live();
  at.cursor = "c3";
  newest("websocket").end(endedByService("too_slow", ""));
  expect(opened.map(({ name, cursor }) => [name, cursor])).toEqual([["websocket", "c0"], ["websocket", "c3"]]);
});

test("a client over the limit falls back, and waits long before it upgrades", async () => {
  const { transports, opened, newest } = setUp();
  transports.start();
  newest("websocket").end(endedByService("too_many", ""));
  newest("sse").live();
  await vi.advanceTimersByTimeAsync(TIMING.upgradeMax / 10 - 10);
  expect(names(opened)).toEqual(["websocket", "sse"]);
  await vi.advanceTimersByTimeAsync(20);
  expect(names(opened)).toEqual(["websocket", "sse", "websocket"]);
});

test("with a new token it uses the same transport again; if that is rejected too, it ends", async () => {
  const { transports, opened, newest } = setUp(() => Promise.resolve("renewed"));
  transports.start();
  const expired: TransportEnd = endedByService("token_expired", "the token has expired");
  newest("websocket").end(expired);
  await vi.advanceTimersByTimeAsync(0);
  expect(names(opened)).toEqual(["websocket", "websocket"]);
  newest("websocket").live();
  newest("websocket").end(expired);
  await vi.advanceTimersByTimeAsync(0);
  newest("websocket").end(expired);
  await vi.advanceTimersByTimeAsync(0);
  expect(transports.status).toMatchObject({ state: "ended", problem: { code: "unauthenticated" } });
});

test("without a new token it ends at once, unless the service could not be reached", async () => {
  const refused = setUp(() => Promise.resolve("refused"));
  refused.transports.start();
  refused.newest("websocket").end(endedByService("token_expired", ""));
  await vi.advanceTimersByTimeAsync(0);
  expect(refused.transports.status.state).toBe("ended");
  const unreachable = setUp(() => Promise.resolve("lost"));
  unreachable.transports.start();
  unreachable.newest("websocket").end(endedByService("token_expired", ""));
  await vi.advanceTimersByTimeAsync(0);
  expect(unreachable.transports.status.state).toBe("offline");
});

test("a transport that is being tried takes over when the current one fails", async () => {
  const { transports, opened, newest } = setUp();
  transports.start();
  newest("websocket").end(connectionLost("refused"));
  newest("sse").live();
  await vi.advanceTimersByTimeAsync(TIMING.upgrade);
  newest("sse").end(connectionLost("cut"));
  expect(transports.status.state).toBe("connecting");
  newest("websocket").live();
  expect(transports.status).toMatchObject({ state: "live", transport: "websocket" });
  expect(names(opened)).toEqual(["websocket", "sse", "websocket"]);
});

test("without a network it is offline at once, and live again when a message arrives", () => {
  const { transports, newest } = setUp();
  transports.start();
  newest("websocket").live();
  transports.offline();
  expect(transports.status.state).toBe("offline");
  expect(newest("websocket").checked).toBe(1);
  newest("websocket").message({ type: "pong" });
  expect(transports.status.state).toBe("live");
});

test("after a stop it is idle and nothing is open", async () => {
  const { transports, opened, newest } = setUp();
  transports.start();
  newest("websocket").end(connectionLost("refused"));
  newest("sse").live();
  transports.stop();
  await vi.advanceTimersByTimeAsync(600_000);
  expect(transports.status.state).toBe("idle");
  expect(opened.at(-1)?.closed).toBe(true);
  expect(opened).toHaveLength(2);
});

test("a stream that is no longer allowed stays open until the allowed one is live", () => {
  const { transports, opened, at, newest } = setUp();
  transports.start();
  newest("websocket").live();
  at.cursor = "c4";
  newest("websocket").message({ type: "flags", realtime: "sse" });
  expect(opened.map(({ name, cursor, closed }) => [name, cursor, closed])).toEqual([["websocket", "c0", false], ["sse", "c4", false]]);
  expect(transports.status).toMatchObject({ state: "live", transport: "websocket", realtime: "sse" });
  newest("sse").live();
  expect(transports.status).toMatchObject({ state: "live", transport: "sse" });
  expect(opened[0]?.closed).toBe(true);
});

test("it switches to polling or off at once, with its cursor", () => {
  const { transports, opened, at, newest } = setUp();
  transports.start();
  newest("websocket").live();
  at.cursor = "c4";
  newest("websocket").message({ type: "flags", realtime: "poll" });
  newest("polling").live();
  expect(transports.status).toMatchObject({ state: "live", transport: "polling", realtime: "poll" });
  at.cursor = "c5";
  newest("polling").message({ type: "flags", realtime: "off" });
  newest(null).live();
  expect(transports.status).toMatchObject({ state: "off", transport: null, realtime: "off" });
  expect(opened.map(({ name, cursor, closed }) => [name, cursor, closed])).toEqual([
    ["websocket", "c0", true],
    ["polling", "c4", true],
    [null, "c5", false],
  ]);
});

test("a transport that is allowed again is tried at once, whatever failed before", async () => {
  const { transports, opened, newest } = setUp();
  transports.start();
  newest("websocket").end(connectionLost("refused"));
  newest("sse").live();
  newest("sse").message({ type: "flags", realtime: "poll" });
  newest("polling").live();
  await vi.advanceTimersByTimeAsync(600_000);
  expect(names(opened)).toEqual(["websocket", "sse", "polling"]);
  newest("polling").message({ type: "flags", realtime: "websocket" });
  expect(names(opened).slice(3)).toEqual(["websocket"]);
  expect(transports.status).toMatchObject({ state: "live", transport: "polling" });
  newest("websocket").live();
  expect(transports.status).toMatchObject({ state: "live", transport: "websocket" });
  expect(opened[2]?.closed).toBe(true);
});

test("from off it goes to the best transport that is allowed, and falls back from there", () => {
  const { transports, opened, newest } = setUp();
  transports.setRealtime("off");
  transports.start();
  newest(null).live();
  newest(null).message({ type: "flags", realtime: "websocket" });
  newest("websocket").end(connectionLost("refused"));
  newest("sse").live();
  expect(transports.status).toMatchObject({ state: "live", transport: "sse" });
  expect(names(opened)).toEqual([null, "websocket", "sse"]);
});

test("it follows the flag known at the start, and the one in auth_success", () => {
  const { transports, opened, newest } = setUp();
  transports.setRealtime("sse");
  transports.start();
  newest("sse").live();
  newest("sse").message({ type: "auth_success", resume: "resumed", boards: [], cursor: "c1", realtime: "sse" });
  expect(names(opened)).toEqual(["sse"]);
  newest("sse").message({ type: "auth_success", resume: "resumed", boards: [], cursor: "c1", realtime: "poll" });
  expect(names(opened)).toEqual(["sse", "polling"]);
});

test("if the allowed stream fails at first, it is tried again while the old one is open", async () => {
  const { transports, opened, newest } = setUp();
  transports.start();
  newest("websocket").live();
  newest("websocket").message({ type: "flags", realtime: "sse" });
  newest("sse").end(connectionLost("overloaded"));
  expect(transports.status).toMatchObject({ state: "live", transport: "websocket" });
  await vi.advanceTimersByTimeAsync(TIMING.upgrade);
  newest("sse").live();
  expect(transports.status).toMatchObject({ state: "live", transport: "sse" });
  expect(names(opened)).toEqual(["websocket", "sse", "sse"]);
});

test("when the old stream is closed it falls back, and does not return to a transport that is not allowed", async () => {
  const { transports, opened, newest } = setUp();
  transports.start();
  newest("websocket").live();
  newest("websocket").message({ type: "flags", realtime: "sse" });
  newest("sse").end(connectionLost("refused"));
  newest("websocket").end(endedByService("not_offered", "", 60_000));
  newest("sse").end(connectionLost("refused"));
  newest("polling").live();
  await vi.advanceTimersByTimeAsync(TIMING.upgrade * 2);
  newest("sse").live();
  await vi.advanceTimersByTimeAsync(600_000);
  expect(names(opened)).toEqual(["websocket", "sse", "sse", "polling", "sse"]);
});

test("if the old stream is cut during the switch, the new one continues", () => {
  const { transports, opened, newest } = setUp();
  transports.start();
  newest("websocket").live();
  newest("websocket").message({ type: "flags", realtime: "sse" });
  newest("websocket").end(endedByService("not_offered", "", 60_000));
  newest("sse").live();
  expect(transports.status).toMatchObject({ state: "live", transport: "sse" });
  expect(names(opened)).toEqual(["websocket", "sse"]);
});

test("after not_offered, the flags decide when to reconnect", async () => {
  const { transports, opened, newest } = setUp();
  transports.start();
  newest("websocket").message({ type: "flags", realtime: "poll" });
  newest("polling").live();
  newest("polling").message({ type: "flags", realtime: "websocket" });
  newest("websocket").end(endedByService("not_offered", "", 60_000));
  newest("sse").live();
  await vi.advanceTimersByTimeAsync(TIMING.upgrade);
  expect(names(opened)).toEqual(["websocket", "polling", "websocket", "sse", "websocket"]);
});

test("without a network, only allowed transports are tried", async () => {
  const { transports, opened, newest } = setUp();
  transports.setRealtime("poll");
  transports.start();
  for (let round = 0; round < 3; round++) {
    newest("polling").end(connectionLost("no network"));
    expect(transports.status.state).toBe("offline");
    await vi.advanceTimersByTimeAsync(TIMING.retryMax);
  }
  expect(new Set(names(opened))).toEqual(new Set(["polling"]));
});

test("an unknown value is ignored", () => {
  const { transports, opened, newest } = setUp();
  transports.start();
  newest("websocket").live();
  newest("websocket").message({ type: "flags", realtime: "toString" as "off" });
  newest("websocket").message({ type: "flags", realtime: "pigeons" as "off" });
  expect(transports.status).toMatchObject({ state: "live", transport: "websocket", realtime: "websocket" });
  expect(opened).toHaveLength(1);
});

test("a line that does not answer is offline at once, whatever is tried next", () => {
  const { transports, newest } = setUp();
  transports.start();
  newest("websocket").live();
  newest("websocket").end(silent("no answer"));
  expect(transports.status.state).toBe("offline");
  newest("sse").live();
  expect(transports.status).toMatchObject({ state: "live", transport: "sse" });
});

test("a connection that was closed is offline when it does not come back soon", async () => {
  const { transports, newest } = setUp();
  transports.start();
  newest("websocket").live();
  newest("websocket").end(connectionLost("closed"));
  await vi.advanceTimersByTimeAsync(TIMING.lost - 10);
  expect(transports.status.state).toBe("connecting");
  await vi.advanceTimersByTimeAsync(10);
  expect(transports.status.state).toBe("offline");
  newest("sse").live();
  await vi.advanceTimersByTimeAsync(TIMING.lost);
  expect(transports.status.state).toBe("live");
});

test("only the current transport says whether what was delivered is behind, and only while it is live", () => {
  const { transports, newest } = setUp();
  transports.start();
  newest("websocket").end(connectionLost("refused"));
  const sse = newest("sse");
  sse.live();
  sse.behind(true);
  expect(transports.status).toMatchObject({ state: "live", behind: true });
  sse.behind(false);
  newest("websocket").behind(true);
  expect(transports.status.behind).toBe(false);
  sse.behind(true);
  sse.end(connectionLost("closed"));
  expect(transports.status.behind).toBe(false);
});
