import { expect, test, vi } from "vitest";
import { board, card, type Claim, type Claims, Desk, merged, type Place, Speaker, spoken } from "../src/claims.js";
import { Http } from "../src/http.js";
import type { Wire } from "../src/wire.js";

const wire = (claim: Wire["claim"]): Wire => ({ claim, check: () => {}, renewed: () => {}, close: () => {} });
const looking: Claim = { action: "viewing" };
const editing = (baseVersion: number): Claim => ({ action: "editing", baseVersion });

const [o1, o2, b1, b2] = [card("o1"), card("o2"), board("b1"), board("b2")];
const claims = (...all: [Place, Claim][]): Claims => new Map(all);

function speaker(): { speaker: Speaker; asked: string[] } {
  const asked: string[] = [];
  const fetch = (url: string, init?: RequestInit): Promise<Response> => {
    asked.push(`${init?.method} ${url.replace("/api/", "")} ${String(init?.body ?? "")}`.trim());
    return Promise.resolve(new Response(null, { status: 204 }));
  };
  return { speaker: new Speaker(new Http({ fetch }), 1000), asked };
}

test("a desk has what is edited and the one that is looked at", () => {
  const desk = new Desk();
  desk.take({ type: "viewing", opportunityId: "o1" });
  desk.take({ type: "user_editing", opportunityId: "o1", baseVersion: 4 });
  expect([...desk.claims]).toEqual([[o1, editing(4)]]);
  expect([...desk.take({ type: "user_stopped_editing", opportunityId: "o1" })]).toEqual([[o1, looking]]);
  expect([...desk.take({ type: "viewing", opportunityId: null })]).toEqual([]);
});

test("a desk looks at a board where it looks at no card", () => {
  const desk = new Desk();
  expect([...desk.take({ type: "viewing", opportunityId: null, boardId: "b1" })]).toEqual([[b1, looking]]);
  expect([...desk.take({ type: "viewing", opportunityId: "o1", boardId: "b1" })]).toEqual([[o1, looking]]);
  expect([...desk.take({ type: "viewing", opportunityId: null, boardId: "b2" })]).toEqual([[b2, looking]]);
  expect([...desk.take({ type: "viewing", opportunityId: null, boardId: null })]).toEqual([]);
});

test("a WebSocket is told of places by their ids", () => {
  expect(spoken(card("a/b"), editing(3))).toEqual({ type: "user_editing", opportunityId: "a/b", baseVersion: 3 });
  expect(spoken(card("a b"), looking)).toEqual({ type: "viewing", opportunityId: "a b" });
  expect(spoken(o1, null)).toEqual({ type: "user_stopped_editing", opportunityId: "o1" });
  expect(spoken(board("é%2F"), looking)).toEqual({ type: "viewing", opportunityId: null, boardId: "é%2F" });
  expect(spoken(b1, null)).toEqual({ type: "stopped_viewing", boardId: "b1" });
});

test("who goes from a board to a card and back is always somewhere", () => {
  const { speaker: say } = speaker();
  const socket = vi.fn();
  say.use(wire(socket));
  say.want(claims([b1, looking]));
  say.want(claims([o1, looking]));
  say.want(claims([b1, looking]));
  expect(socket.mock.calls).toEqual([[b1, looking], [o1, looking], [b1, null], [b1, looking], [o1, null]]);
});

test("a board that is looked at says 'at no card': the card that another tab looks at is said again, an edit is not", () => {
  const { speaker: say } = speaker();
  const socket = vi.fn();
  say.want(claims([o1, looking], [o2, editing(1)]));
  say.use(wire(socket));
  socket.mockClear();
  say.want(claims([o1, looking], [o2, editing(1)], [b1, looking]));
  expect(socket.mock.calls).toEqual([[b1, looking], [o1, looking]]);
  say.want(claims([o1, looking], [o2, editing(1)]));
  expect(socket.mock.calls.slice(2)).toEqual([[b1, null]]);
});

test("several tabs are one user, who edits while any of them does", () => {
  const tabs = [claims([o1, looking]), claims([o1, editing(2)]), claims([o1, looking], [b1, looking]), claims([b1, looking])];
  expect([...merged(tabs)]).toEqual([[o1, editing(2)], [b1, looking]]);
});

test("a wire is told what changes, and a new one all of it", async () => {
  const { speaker: say, asked } = speaker();
  const first = vi.fn();
  say.want(claims([o1, editing(1)]));
  say.use(wire(first));
  say.want(claims([o1, editing(1)]));
  say.want(claims([o2, editing(1)]));
  expect(first.mock.calls).toEqual([[o1, editing(1)], [o2, editing(1)], [o1, null]]);
  const second = vi.fn();
  say.use(null);
  say.use(wire(second));
  expect(second.mock.calls).toEqual([[o2, editing(1)]]);
  expect(asked).toEqual([]);
});

test("without a WebSocket it is said over HTTP, again and again, and taken back when there is one", async () => {
  vi.useFakeTimers();
  const { speaker: say, asked } = speaker();
  say.want(claims([o1, editing(7)]));
  say.use(wire(null));
  const put = 'PUT opportunities/o1/presence {"action":"editing","baseVersion":7}';
  await vi.advanceTimersByTimeAsync(2500);
  expect(asked).toEqual([put, put, put]);
  const socket = vi.fn();
  say.use(wire(socket));
  await vi.advanceTimersByTimeAsync(5000);
  expect(socket.mock.calls).toEqual([[o1, editing(7)]]);
  expect(asked.slice(3)).toEqual(["DELETE opportunities/o1/presence"]);
  vi.useRealTimers();
});

test("over HTTP a board has an address of its own", () => {
  const { speaker: say, asked } = speaker();
  say.want(claims([b1, looking]));
  say.use(wire(null));
  say.want(claims([o1, looking]));
  say.use(null);
  expect(asked).toEqual(["PUT boards/b1/presence", 'PUT opportunities/o1/presence {"action":"viewing"}', "DELETE boards/b1/presence"]);
});
