import { describe, expect, it } from "vitest";
import vectors from "../../../tests/vectors/checkpoint.json";
import { ServerState } from "../src/serverState.js";
import { covers } from "../src/compareCursors.js";
import { digestOf, rowHash } from "../src/hash.js";
import { Inbox, type Incoming } from "../src/inbox.js";
import type { Delivery, Opportunity, OpportunityEvent } from "../src/types.js";

const card = (id: string, version_number: number): Opportunity => ({ id, version_number, board_id: "b1" }) as Opportunity;
const cursor = (xmax: number, xip: number[] = []): string => {
  const all = [xip[0] ?? xmax, ...xip];
  return `feed.${all[0]}.${xmax}.${xip.map((xid, at) => xid - (all[at] ?? 0)).join("-")}.1.00000000`;
};

describe("the hash of a checkpoint", () => {
  it.each(vectors.rows)("of $id in version $version", ({ id, version, hash }) => {
    expect(rowHash(id, version).toString(16).padStart(8, "0")).toBe(hash);
  });

  it.each(vectors.boards)("of $count rows: $hash", ({ rows, count, hash }) => {
    expect(digestOf(rows.map(({ id, version }) => card(id, version)))).toEqual({ count, hash });
  });
});

describe("cursors", () => {
  it("cover what they contain", () => {
    expect(covers(cursor(12), cursor(12))).toBe(true);
    expect(covers(cursor(13), cursor(12, [10]))).toBe(true);
    expect(covers(cursor(13, [12]), cursor(12))).toBe(true);
    expect(covers(cursor(13, [9, 11]), cursor(12, [9, 11]))).toBe(true);
    expect(covers(cursor(12), cursor(13))).toBe(false);
    expect(covers(cursor(13, [9, 11]), cursor(12, [9]))).toBe(false);
    expect(covers(cursor(12), cursor(12).replace("feed", "other"))).toBe(false);
  });

  it("of a stream that is behind are ignored", () => {
    const delivered: Delivery[] = [];
    const inbox = new Inbox(cursor(12), (delivery) => delivered.push(delivery));
    const checkpoint = (at: string): Incoming => ({ type: "checkpoint", boardId: "b1", count: 0, hash: "00000000", cursor: at });
    const take = inbox.open();
    take(checkpoint(cursor(11)));
    expect(delivered).toEqual([]);
    take(checkpoint(cursor(14)));
    expect(delivered.map((delivery) => [delivery.cursor, delivery.messages.length])).toEqual([[cursor(14), 1]]);
    expect(inbox.cursor).toBe(cursor(14));
  });
});

describe("a row known from a response", () => {
  const event = (version: number): OpportunityEvent =>
    ({ type: "opportunity_updated", boardId: "b1", opportunityId: "o1", changes: {}, version, seq: version }) as unknown as OpportunityEvent;

  it("is not compared until its event arrives", () => {
    const state = new ServerState("b1");
    state.reset([card("o1", 1)]);
    expect(state.comparable(1)).toBe(true);
    state.applyResponse("o1", () => state.applyRow(card("o1", 3)));
    state.applyEvent(event(2));
    expect(state.comparable(2)).toBe(false);
    state.applyEvent(event(3));
    expect(state.comparable(3)).toBe(true);
    state.applyResponse("o1", () => state.applyRow(card("o1", 3)));
    expect(state.comparable(4)).toBe(true);
  });

  it("is compared anyway if no event arrives", () => {
    const state = new ServerState("b1");
    state.reset([card("o1", 1)]);
    state.applyResponse("o1", () => state.remove("o1"));
    expect(state.comparable(5_000)).toBe(false);
    expect(state.comparable(14_000)).toBe(false);
    expect(state.comparable(15_001)).toBe(true);
  });
});
