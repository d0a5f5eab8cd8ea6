import { describe, expect, test } from "vitest";
import { ServerState } from "../src/serverState.js";
import { blank } from "../src/pending.js";
import type { Opportunity, OpportunityEvent } from "../src/types.js";

const BOARD = "b1";

function row(version: number, more: Partial<Opportunity> = {}): Opportunity {
  return { ...blank("o1"), board_id: BOARD, title: `v${version}`, phase: "new", position: "a0", version_number: version, ...more };
}

let seq = 0;
const common = (version: number) => ({
  opportunityId: "o1",
  boardId: BOARD,
  userId: "bruno",
  timestamp: "",
  version,
  seq: ++seq,
  xid: "1",
  origin: null,
});
const created = (card: Opportunity): OpportunityEvent => ({ ...common(card.version_number), type: "opportunity_created", opportunity: card });
const updated = (version: number, more: object = {}): OpportunityEvent => ({
  ...common(version),
  type: "opportunity_updated",
  changes: { title: `v${version}`, version_number: version },
  ...more,
});
const deleted = (version: number): OpportunityEvent => ({ ...common(version), type: "opportunity_deleted" });

function state(version: number): ServerState {
  const serverState = new ServerState(BOARD);
  serverState.reset([row(version)]);
  return serverState;
}

describe("an event", () => {
  test("is applied to the version before it", () => {
    const known = state(3);
    expect(known.applyEvent(updated(4))).toBe(true);
    expect(known.rows.get("o1")).toMatchObject({ title: "v4", version_number: 4 });
  });

  test("that is older is ignored", () => {
    const known = state(3);
    const before = known.rows.get("o1");
    expect([known.applyEvent(updated(3)), known.applyEvent(updated(2)), known.applyEvent(created(row(1))), known.applyEvent(deleted(2))]).toEqual([
      false,
      false,
      false,
      false,
    ]);
    expect(known.rows.get("o1")).toBe(before);
  });

  test("after a missing version is not applied", () => {
    const known = state(3);
    expect(known.applyEvent(updated(5))).toBe(false);
    expect(known.incomplete.get("o1")).toBe(5);
    expect(known.rows.get("o1")?.title).toBe("v3");
    expect(known.applyRow(row(5))).toBe(true);
    expect(known.incomplete.size).toBe(0);
  });

  test("with several collapsed changes follows the version before the first", () => {
    const known = state(3);
    expect(known.applyEvent(updated(5, { collapsed: 2 }))).toBe(true);
    expect(state(4).applyEvent(updated(5, { collapsed: 2 }))).toBe(false);
  });

  test("of an unknown card marks it as incomplete", () => {
    const known = new ServerState(BOARD);
    expect(known.applyEvent(updated(2))).toBe(false);
    expect(known.incomplete.get("o1")).toBe(2);
  });

  test("of another board is ignored", () => {
    expect(state(1).applyEvent({ ...updated(2), boardId: "b2" })).toBe(false);
  });
});

describe("a deleted card", () => {
  test("is not brought back by older events", () => {
    const known = state(3);
    const before = created(row(1));
    const late = updated(3);
    expect(known.applyEvent(deleted(3))).toBe(true);
    expect([known.applyEvent(before), known.applyEvent(late), known.applyRow(row(3))]).toEqual([false, false, false]);
    expect([known.rows.size, known.incomplete.size]).toEqual([0, 0]);
    expect(known.deletedBy("o1")).toBe("bruno");
  });

  test("comes back when it is restored", () => {
    const known = state(3);
    known.applyEvent(deleted(3));
    expect(known.applyEvent(created(row(4)))).toBe(true);
    expect(known.applyEvent(updated(5))).toBe(true);
  });

  test("is replaced by a new card with the same id, whatever its version", () => {
    const known = state(3);
    known.applyEvent(deleted(3));
    expect(known.applyEvent(created(row(1)))).toBe(true);
    expect(known.rows.get("o1")?.version_number).toBe(1);
  });

  test("gets its author from the event if the response came first", () => {
    const known = state(3);
    expect(known.markDeleted("o1", 3)).toBe(true);
    expect(known.applyEvent(updated(3))).toBe(false);
    expect(known.applyEvent(deleted(3))).toBe(false);
    expect(known.deletedBy("o1")).toBe("bruno");
  });

  test("that a poll did not return may be returned by the next", () => {
    const known = state(3);
    expect(known.remove("o1")).toBe(true);
    expect(known.applyRow(row(3))).toBe(true);
  });
});

test("a row that moves to another board leaves this one, and returns with a newer version", () => {
  const known = state(3);
  expect(known.applyRow(row(2, { board_id: "b2" }))).toBe(false);
  expect(known.applyRow(row(4, { board_id: "b2" }))).toBe(true);
  expect(known.rows.size).toBe(0);
  expect(known.applyRow(row(4))).toBe(false);
  expect(known.applyRow(row(5))).toBe(true);
});
