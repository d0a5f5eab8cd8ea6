import { describe, expect, test } from "vitest";
import { Truth } from "../src/apply.js";
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

function truth(version: number): Truth {
  const made = new Truth(BOARD);
  made.reset([row(version)]);
  return made;
}

describe("an event", () => {
  test("is laid on the version before it", () => {
    const known = truth(3);
    expect(known.event(updated(4))).toBe(true);
    expect(known.rows.get("o1")).toMatchObject({ title: "v4", version_number: 4 });
  });

  test("that came before changes nothing", () => {
    const known = truth(3);
    const before = known.rows.get("o1");
    expect([known.event(updated(3)), known.event(updated(2)), known.event(created(row(1))), known.event(deleted(2))]).toEqual([
      false,
      false,
      false,
      false,
    ]);
    expect(known.rows.get("o1")).toBe(before);
  });

  test("with a version missing before it is not laid on what it does not follow", () => {
    const known = truth(3);
    expect(known.event(updated(5))).toBe(false);
    expect(known.behind.get("o1")).toBe(5);
    expect(known.rows.get("o1")?.title).toBe("v3");
    expect(known.row(row(5))).toBe(true);
    expect(known.behind.size).toBe(0);
  });

  test("that tells several changes follows the version before the first", () => {
    const known = truth(3);
    expect(known.event(updated(5, { collapsed: 2 }))).toBe(true);
    expect(truth(4).event(updated(5, { collapsed: 2 }))).toBe(false);
  });

  test("of a card that is not known makes it one to fetch", () => {
    const known = new Truth(BOARD);
    expect(known.event(updated(2))).toBe(false);
    expect(known.behind.get("o1")).toBe(2);
  });

  test("of another board is nothing", () => {
    expect(truth(1).event({ ...updated(2), boardId: "b2" })).toBe(false);
  });
});

describe("a deleted card", () => {
  test("does not come back by what was before", () => {
    const known = truth(3);
    const before = created(row(1));
    const late = updated(3);
    expect(known.event(deleted(3))).toBe(true);
    expect([known.event(before), known.event(late), known.row(row(3))]).toEqual([false, false, false]);
    expect([known.rows.size, known.behind.size]).toEqual([0, 0]);
    expect(known.deletedBy("o1")).toBe("bruno");
  });

  test("comes back when it is restored", () => {
    const known = truth(3);
    known.event(deleted(3));
    expect(known.event(created(row(4)))).toBe(true);
    expect(known.event(updated(5))).toBe(true);
  });

  test("comes back as another with the same id, whatever its version", () => {
    const known = truth(3);
    known.event(deleted(3));
    expect(known.event(created(row(1)))).toBe(true);
    expect(known.rows.get("o1")?.version_number).toBe(1);
  });

  test("is deleted once more by the event of an answer that was here first", () => {
    const known = truth(3);
    expect(known.bury("o1", 3)).toBe(true);
    expect(known.event(updated(3))).toBe(false);
    expect(known.event(deleted(3))).toBe(false);
    expect(known.deletedBy("o1")).toBe("bruno");
  });

  test("that a poll did not see may be seen by the next", () => {
    const known = truth(3);
    expect(known.gone("o1")).toBe(true);
    expect(known.row(row(3))).toBe(true);
  });
});

test("a row that went to another board is not on this one, and comes back by a newer version", () => {
  const known = truth(3);
  expect(known.row(row(2, { board_id: "b2" }))).toBe(false);
  expect(known.row(row(4, { board_id: "b2" }))).toBe(true);
  expect(known.rows.size).toBe(0);
  expect(known.row(row(4))).toBe(false);
  expect(known.row(row(5))).toBe(true);
});
