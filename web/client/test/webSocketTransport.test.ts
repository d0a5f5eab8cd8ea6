import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { SessionManager } from "../src/session.js";
import { TIMING } from "../src/timing.js";
import { WebSocketTransport } from "../src/webSocketTransport.js";
import type { TransportEnd, TransportEvents } from "../src/transport.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A fake socket that opens, answers pings, and receives what the test sends. */
class Socket {
  static last: Socket;
  readyState = 1;
  onopen: () => void = () => undefined;
  onmessage: (event: { data: string }) => void = () => undefined;

  constructor() {
    Socket.last = this;
    setTimeout(() => this.onopen(), 0);
  }

  send(data: string): void {
    if ((JSON.parse(data) as { type: string }).type === "ping") setTimeout(() => this.receive({ type: "pong" }), 1);
  }

  receive(message: object): void {
    this.onmessage({ data: JSON.stringify(message) });
  }

  close(): void {}
}

async function live(): Promise<TransportEnd[]> {
  const ends: TransportEnd[] = [];
  const nothing = (): void => undefined;
  const events: TransportEvents = { live: nothing, message: nothing, latency: nothing, interval: nothing, behind: nothing, applied: () => null, end: (end) => ends.push(end) };
  const session = new SessionManager(() => Promise.resolve({ token: "t", userId: "ana", expires: Date.now() + 3_600_000 }));
  new WebSocketTransport({ feed: "http://feed", WebSocket: Socket as unknown as typeof WebSocket, session, timing: TIMING }, null, events);
  await vi.advanceTimersByTimeAsync(1);
  Socket.last.receive({ type: "auth_success", resume: "live", boards: [] });
  return ends;
}

test("pongs alone count as silence: the service may no longer read the log", async () => {
  const ends = await live();
  await vi.advanceTimersByTimeAsync(TIMING.heartbeat * 2 - 10);
  expect(ends).toEqual([]);
  await vi.advanceTimersByTimeAsync(20);
  expect(ends).toMatchObject([{ problem: { code: "lost" } }]);
});

test("heartbeats keep it alive, with or without a cursor", async () => {
  const ends = await live();
  for (let heartbeats = 0; heartbeats < 10; heartbeats++) {
    await vi.advanceTimersByTimeAsync(TIMING.heartbeat * 1.5);
    Socket.last.receive({ type: "heartbeat" });
  }
  expect(ends).toEqual([]);
});

test("a WebSocket without an answer ends as silent", async () => {
  const ends = await live();
  await vi.advanceTimersByTimeAsync(10);
  Socket.last.send = () => undefined; // from here on, everything is lost
  await vi.advanceTimersByTimeAsync(TIMING.ping + TIMING.pong);
  expect(ends).toMatchObject([{ silent: true, reaction: "fallBack" }]);
});
