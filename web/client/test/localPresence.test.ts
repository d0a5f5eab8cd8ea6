import { expect, test, vi } from "vitest";
import { type Activity, boardPlace, cardPlace, type LocalPresence, mergePresence, type Place, presenceMessage, PresenceTracker, type SendPresence } from "../src/localPresence.js";
import { PresenceSender } from "../src/presenceSender.js";
import { Http } from "../src/http.js";
import type { Transport } from "../src/transport.js";

const transport = (sendPresence: SendPresence | null): Transport => ({ sendPresence, check: () => {}, renewed: () => {}, close: () => {} });
const viewing: Activity = { action: "viewing" };
const editing = (baseVersion: number): Activity => ({ action: "editing", baseVersion });

const [o1, o2, b1, b2] = [cardPlace("o1"), cardPlace("o2"), boardPlace("b1"), boardPlace("b2")];
const presence = (...all: [Place, Activity][]): LocalPresence => new Map(all);

function sender(): { sender: PresenceSender; requests: string[] } {
  const requests: string[] = [];
  const fetch = (url: string, init?: RequestInit): Promise<Response> => {
    requests.push(`${init?.method} ${url.replace("/api/", "")} ${String(init?.body ?? "")}`.trim());
    return Promise.resolve(new Response(null, { status: 204 }));
  };
  return { sender: new PresenceSender(new Http({ fetch }), 1000), requests };
}

test("a tracker holds the cards being edited and the card being viewed", () => {
  const tracker = new PresenceTracker();
  tracker.apply({ type: "viewing", opportunityId: "o1" });
  tracker.apply({ type: "user_editing", opportunityId: "o1", baseVersion: 4 });
  expect([...tracker.presence]).toEqual([[o1, editing(4)]]);
  expect([...tracker.apply({ type: "user_stopped_editing", opportunityId: "o1" })]).toEqual([[o1, viewing]]);
  expect([...tracker.apply({ type: "viewing", opportunityId: null })]).toEqual([]);
});

test("a tracker views the board when it views no card", () => {
  const tracker = new PresenceTracker();
  expect([...tracker.apply({ type: "viewing", opportunityId: null, boardId: "b1" })]).toEqual([[b1, viewing]]);
  expect([...tracker.apply({ type: "viewing", opportunityId: "o1", boardId: "b1" })]).toEqual([[o1, viewing]]);
  expect([...tracker.apply({ type: "viewing", opportunityId: null, boardId: "b2" })]).toEqual([[b2, viewing]]);
  expect([...tracker.apply({ type: "viewing", opportunityId: null, boardId: null })]).toEqual([]);
});

test("WebSocket messages contain the ids of places", () => {
  expect(presenceMessage(cardPlace("a/b"), editing(3))).toEqual({ type: "user_editing", opportunityId: "a/b", baseVersion: 3 });
  expect(presenceMessage(cardPlace("a b"), viewing)).toEqual({ type: "viewing", opportunityId: "a b" });
  expect(presenceMessage(o1, null)).toEqual({ type: "user_stopped_editing", opportunityId: "o1" });
  expect(presenceMessage(boardPlace("é%2F"), viewing)).toEqual({ type: "viewing", opportunityId: null, boardId: "é%2F" });
  expect(presenceMessage(b1, null)).toEqual({ type: "stopped_viewing", boardId: "b1" });
});

test("a user who goes from a board to a card and back is always present somewhere", () => {
  const { sender: presenceSender } = sender();
  const socket = vi.fn();
  presenceSender.setTransport(transport(socket));
  presenceSender.update(presence([b1, viewing]));
  presenceSender.update(presence([o1, viewing]));
  presenceSender.update(presence([b1, viewing]));
  expect(socket.mock.calls).toEqual([[b1, viewing], [o1, viewing], [b1, null], [b1, viewing], [o1, null]]);
});

test("viewing a board means viewing no card: a card that another tab views is sent again, an edited one is not", () => {
  const { sender: presenceSender } = sender();
  const socket = vi.fn();
  presenceSender.update(presence([o1, viewing], [o2, editing(1)]));
  presenceSender.setTransport(transport(socket));
  socket.mockClear();
  presenceSender.update(presence([o1, viewing], [o2, editing(1)], [b1, viewing]));
  expect(socket.mock.calls).toEqual([[b1, viewing], [o1, viewing]]);
  presenceSender.update(presence([o1, viewing], [o2, editing(1)]));
  expect(socket.mock.calls.slice(2)).toEqual([[b1, null]]);
});

test("several tabs are one user, who edits while any tab does", () => {
  const tabs = [presence([o1, viewing]), presence([o1, editing(2)]), presence([o1, viewing], [b1, viewing]), presence([b1, viewing])];
  expect([...mergePresence(tabs)]).toEqual([[o1, editing(2)], [b1, viewing]]);
});

test("a transport gets what changes, and a new one gets everything", async () => {
  const { sender: presenceSender, requests } = sender();
  const first = vi.fn();
  presenceSender.update(presence([o1, editing(1)]));
  presenceSender.setTransport(transport(first));
  presenceSender.update(presence([o1, editing(1)]));
  presenceSender.update(presence([o2, editing(1)]));
  expect(first.mock.calls).toEqual([[o1, editing(1)], [o2, editing(1)], [o1, null]]);
  const second = vi.fn();
  presenceSender.setTransport(null);
  presenceSender.setTransport(transport(second));
  expect(second.mock.calls).toEqual([[o2, editing(1)]]);
  expect(requests).toEqual([]);
});

test("without a WebSocket, presence is renewed over HTTP, and released when there is one", async () => {
  vi.useFakeTimers();
  const { sender: presenceSender, requests } = sender();
  presenceSender.update(presence([o1, editing(7)]));
  presenceSender.setTransport(transport(null));
  const put = 'PUT opportunities/o1/presence {"action":"editing","baseVersion":7}';
  await vi.advanceTimersByTimeAsync(2500);
  expect(requests).toEqual([put, put, put]);
  const socket = vi.fn();
  presenceSender.setTransport(transport(socket));
  await vi.advanceTimersByTimeAsync(5000);
  expect(socket.mock.calls).toEqual([[o1, editing(7)]]);
  expect(requests.slice(3)).toEqual(["DELETE opportunities/o1/presence"]);
  vi.useRealTimers();
});

test("over HTTP, a release waits for the renewal before it", async () => {
  const requests: string[] = [];
  const answers: (() => void)[] = [];
  const fetch = (_: string, init?: RequestInit): Promise<Response> => {
    requests.push(String(init?.method));
    return new Promise((resolve) => answers.push(() => resolve(new Response(null, { status: 204 }))));
  };
  const presenceSender = new PresenceSender(new Http({ fetch }), 1000);
  presenceSender.update(presence([o1, viewing]));
  presenceSender.setTransport(transport(null));
  presenceSender.update(presence());
  await Promise.resolve();
  expect(requests).toEqual(["PUT"]);
  answers[0]?.();
  await vi.waitFor(() => expect(requests).toEqual(["PUT", "DELETE"]));
});

test("over HTTP, a board has its own URL", async () => {
  const { sender: presenceSender, requests } = sender();
  presenceSender.update(presence([b1, viewing]));
  presenceSender.setTransport(transport(null));
  presenceSender.update(presence([o1, viewing]));
  presenceSender.setTransport(null);
  await vi.waitFor(() => expect(requests).toHaveLength(3));
  expect(requests).toEqual(["PUT boards/b1/presence", 'PUT opportunities/o1/presence {"action":"viewing"}', "DELETE boards/b1/presence"]);
});
