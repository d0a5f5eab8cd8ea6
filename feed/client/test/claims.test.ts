import { expect, test, vi } from "vitest";
import { type Claim, Desk, merged, Speaker } from "../src/claims.js";
import { Http } from "../src/http.js";
import type { Wire } from "../src/wire.js";

const wire = (claim: Wire["claim"]): Wire => ({ claim, check: () => {}, renewed: () => {}, close: () => {} });
const editing = (baseVersion: number): Claim => ({ action: "editing", baseVersion });

function speaker(): { speaker: Speaker; asked: string[] } {
  const asked: string[] = [];
  const fetch = (url: string, init?: RequestInit): Promise<Response> => {
    asked.push(`${init?.method} ${url.replace(/.*opportunities./, "")} ${String(init?.body ?? "")}`.trim());
    return Promise.resolve(new Response(null, { status: 204 }));
  };
  return { speaker: new Speaker(new Http({ fetch }), 1000), asked };
}

test("a desk has what is edited and the one that is looked at", () => {
  const desk = new Desk();
  desk.take({ type: "viewing", opportunityId: "o1" });
  desk.take({ type: "user_editing", opportunityId: "o1", baseVersion: 4 });
  expect([...desk.claims]).toEqual([["o1", editing(4)]]);
  expect([...desk.take({ type: "user_stopped_editing", opportunityId: "o1" })]).toEqual([["o1", { action: "viewing" }]]);
  expect([...desk.take({ type: "viewing", opportunityId: null })]).toEqual([]);
});

test("several tabs are one user, who edits while any of them does", () => {
  const looking: [string, Claim][] = [["o1", { action: "viewing" }]];
  expect([...merged([new Map(looking), new Map([["o1", editing(2)]]), new Map(looking)])]).toEqual([["o1", editing(2)]]);
});

test("a wire is told what changes, and a new one all of it", async () => {
  const { speaker: say, asked } = speaker();
  const first = vi.fn();
  say.want(new Map([["o1", editing(1)]]));
  say.use(wire(first));
  say.want(new Map([["o1", editing(1)]]));
  say.want(new Map([["o2", editing(1)]]));
  expect(first.mock.calls).toEqual([["o1", editing(1)], ["o1", null], ["o2", editing(1)]]);
  const second = vi.fn();
  say.use(null);
  say.use(wire(second));
  expect(second.mock.calls).toEqual([["o2", editing(1)]]);
  expect(asked).toEqual([]);
});

test("without a WebSocket it is said over HTTP, again and again, and taken back when there is one", async () => {
  vi.useFakeTimers();
  const { speaker: say, asked } = speaker();
  say.want(new Map([["o1", editing(7)]]));
  say.use(wire(null));
  const put = 'PUT o1/presence {"action":"editing","baseVersion":7}';
  await vi.advanceTimersByTimeAsync(2500);
  expect(asked).toEqual([put, put, put]);
  const socket = vi.fn();
  say.use(wire(socket));
  await vi.advanceTimersByTimeAsync(5000);
  expect(socket.mock.calls).toEqual([["o1", editing(7)]]);
  expect(asked.slice(3)).toEqual(["DELETE o1/presence"]);
  vi.useRealTimers();
});
