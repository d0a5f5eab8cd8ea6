import { expect, test, vi } from "vitest";
import { Http } from "../src/http.js";
import { BoardStore } from "../src/store.js";
import type { Delivery, FeedStatus, Message, Opportunity, Snapshot, Source } from "../src/types.js";

const cursor = (xmax: number): string => `feed.${xmax}.${xmax}..1.00000000`;
const card = (id: string, version_number: number): Opportunity => ({ id, version_number, board_id: "b1", phase: "new", position: "a0" }) as Opportunity;
const event = (seq: number, xid: number, rest: object): Message =>
  ({ boardId: "b1", userId: "bruno", origin: null, version: 1, seq, xid: String(xid), ...rest }) as unknown as Message;

/** A store with a snapshot, a function that delivers to it, and its requests to the API. */
async function board(xmax: number, opportunities: Opportunity[]): Promise<{ store: BoardStore; deliver: (...messages: Message[]) => void; requests: string[]; answer: { next: () => Promise<Response> } }> {
  const requests: string[] = [];
  let listener: (delivery: Delivery) => void = () => undefined;
  const source = {
    status: { state: "live" } as FeedStatus,
    presence: new Map(),
    onDelivery: (one: typeof listener) => ((listener = one), () => undefined),
    onStatus: () => () => undefined,
    onPresence: () => () => undefined,
    follow: () => Promise.resolve(),
    send: () => undefined,
  } as unknown as Source;
  const content = { board: { id: "b1", name: "One", phases: [], currency: "BRL", archived: false, version: 1 }, role: "editor", members: [], presence: [], opportunities };
  const snapshot = { ...content, cursor: cursor(xmax) } as unknown as Snapshot;
  const answer = { next: () => Promise.resolve(Response.json(snapshot)) };
  const http = new Http({
    fetch: (url) => {
      requests.push(url);
      return answer.next();
    },
  });
  const store = new BoardStore({ source, http, board: "b1", userId: "ana" });
  await store.start(snapshot);
  return { store, requests, answer, deliver: (...messages) => listener({ messages, cursor: null }) };
}

test("a card deleted before the snapshot does not come back while the stream is behind", async () => {
  const { store, deliver } = await board(12, [card("o1", 3)]);
  deliver(event(1, 10, { type: "opportunity_created", opportunityId: "gone", opportunity: card("gone", 1) }));
  expect([...store.opportunities.keys()]).toEqual(["o1"]);
  deliver(event(3, 12, { type: "opportunity_created", opportunityId: "o2", opportunity: card("o2", 1) }));
  expect([...store.opportunities.keys()]).toEqual(["o1", "o2"]);
});

test("a card that left the board and came back before the snapshot stays", async () => {
  const { store, deliver } = await board(12, [card("o1", 3)]);
  deliver(event(1, 10, { type: "opportunity_deleted", opportunityId: "o1", version: 3 }));
  expect([...store.opportunities.keys()]).toEqual(["o1"]);
});

test("rows and resyncs in the snapshot do not trigger a new one; newer ones do", async () => {
  const { deliver, requests } = await board(12, []);
  deliver(event(1, 10, { type: "row_updated", table: "boards", key: "b1" }), event(2, 11, { type: "resync", reason: "bulk", table: "opportunities" }));
  expect(requests).toEqual([]);
  deliver(event(3, 12, { type: "resync", reason: "bulk", table: "opportunities" }));
  expect(requests).toEqual(["/api/boards/b1"]);
});

test("a write without an answer for 3 s is reported until there is one, whatever the feed says", async () => {
  vi.useFakeTimers();
  const { store, answer } = await board(12, [card("o1", 3)]);
  let respond: (response: Response) => void = () => undefined;
  answer.next = () => new Promise<Response>((resolve) => (respond = resolve));
  store.update("o1", { title: "New" });
  await vi.advanceTimersByTimeAsync(2_990);
  expect(store.getState().unanswered).toBe(false);
  await vi.advanceTimersByTimeAsync(10);
  expect(store.getState()).toMatchObject({ unanswered: true, pendingCount: 1 });
  respond(Response.json({ ...card("o1", 4), title: "New" }));
  await vi.advanceTimersByTimeAsync(0);
  expect(store.getState()).toMatchObject({ unanswered: false, pendingCount: 0 });
  store.stop();
  vi.useRealTimers();
});

test("after a delivery that could not be applied, the board is fetched again", async () => {
  const uncaught = vi.fn();
  vi.stubGlobal("reportError", uncaught);
  const { store, deliver, requests } = await board(12, [card("o1", 3)]);
  const broken = event(3, 12, { type: "state", opportunities: null, deletedIds: ["o1"], at: cursor(13) });
  deliver(broken, event(4, 13, { type: "opportunity_deleted", opportunityId: "o1", version: 4 }));
  expect(uncaught).toHaveBeenCalledOnce();
  expect(requests).toEqual(["/api/boards/b1"]);
  await vi.waitFor(() => expect(store.getState().status).toBe("ready"));
  deliver(event(5, 14, { type: "opportunity_created", opportunityId: "o2", opportunity: card("o2", 1) }));
  expect([...store.opportunities.keys()]).toEqual(["o1", "o2"]);
  vi.unstubAllGlobals();
});

const boardEvent = (seq: number, version: number, changes: object, rest: object = {}): Message => event(seq, 20 + seq, { type: "row_updated", table: "boards", key: "b1", version, changes, ...rest });

test("a change of the board itself is applied without a snapshot; a gap before it needs one", async () => {
  const { store, deliver, requests } = await board(12, [{ ...card("o1", 3), phase: "old" }]);
  deliver(boardEvent(1, 2, { name: "Renamed", version_number: 2 }));
  deliver(boardEvent(2, 3, { phases: [{ id: "old", name: "Old" }, { id: "new", name: "New" }] }));
  expect(store.getState().board).toMatchObject({ name: "Renamed", version: 3, archived: false });
  expect([...store.getState().columns].map(([phase, cards]) => [phase, cards.length])).toEqual([
    ["old", 1],
    ["new", 0],
  ]);
  deliver(boardEvent(3, 5, { archived_at: "2027-01-01T00:00:00+00:00" }, { collapsed: 2 }));
  expect(store.getState().board).toMatchObject({ archived: true, version: 5 });
  deliver(boardEvent(4, 5, { name: "Repeated" }));
  expect([store.getState().board?.name, requests]).toEqual(["Renamed", []]);
  deliver(boardEvent(6, 7, { name: "After a gap" }));
  expect(requests).toEqual(["/api/boards/b1"]);
});

test("an older response does not replace a newer board", async () => {
  const { store } = await board(12, []);
  const known = store.getState().board!;
  store.applyBoard({ ...known, name: "Newer", version: 4 });
  store.applyBoard({ ...known, name: "Older", version: 3 });
  expect(store.getState().board?.name).toBe("Newer");
});
