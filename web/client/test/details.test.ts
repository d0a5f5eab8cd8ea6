import { expect, test } from "vitest";
import { blank } from "../src/pending.js";
import { ServerState } from "../src/serverState.js";
import type { Opportunity, RowEvent } from "../src/types.js";

const row = (version: number, more: Partial<Opportunity> = {}): Opportunity => ({ ...blank("o1"), board_id: "b1", title: `v${version}`, phase: "lost", version_number: version, ...more });
const common = { boardId: "b1", userId: "bruno", timestamp: "", seq: 1, xid: "1", origin: null, table: "opportunity_details", key: "o1" };
const inserted = (more: Record<string, unknown>): RowEvent => ({ ...common, type: "row_inserted", version: 1, row: { opportunity_id: "o1", board_id: "b1", ...more } });
const updated = (version: number, changes: Record<string, unknown>, more: object = {}): RowEvent => ({ ...common, type: "row_updated", version, changes, ...more });

function state(...rows: Opportunity[]): ServerState {
  const server = new ServerState("b1");
  server.reset(rows);
  return server;
}

test("events of the details change the card and not its version", () => {
  const server = state(row(3));
  expect(server.applyDetails(inserted({ closed_at: "2027-01-01", close_reason: null }))).toBe(true);
  expect(server.applyDetails(updated(2, { close_reason: "Price", version_number: 2 }))).toBe(true);
  expect(server.rows.get("o1")).toMatchObject({ version_number: 3, closed_at: "2027-01-01", close_reason: "Price", details_version: 2 });
  expect(server.applyDetails(inserted({ closed_at: null }))).toBe(false);
});

test("a missed event makes the card incomplete until it is fetched", () => {
  const server = state(row(3, { details_version: 1, close_reason: null }));
  expect(server.applyDetails(updated(3, { close_reason: "Price" }))).toBe(false);
  expect([...server.incomplete.keys()]).toEqual(["o1"]);
  expect(server.applyRow(row(3, { details_version: 3, close_reason: "Timing" }))).toBe(true);
  expect(server.incomplete.size).toBe(0);
  expect(server.rows.get("o1")?.close_reason).toBe("Timing");
});

test("collapsed events need the version before the first of them", () => {
  const server = state(row(3, { details_version: 1 }));
  expect(server.applyDetails(updated(4, { close_reason: "Price" }, { collapsed: 3 }))).toBe(true);
});

test("neither an event of the card nor an older response takes newer details away", () => {
  const server = state(row(3, { details_version: 2, close_reason: "Price", next_activity: "Call" }));
  const event = { ...common, opportunityId: "o1", version: 4, type: "opportunity_updated" as const };
  // A table with a column of that name.
  server.applyEvent({ ...event, changes: { title: "new", close_reason: "the application's", version_number: 4 } });
  expect(server.rows.get("o1")).toMatchObject({ title: "new", close_reason: "Price" });
  expect(server.applyRow(row(5, { details_version: 1, close_reason: null }))).toBe(true);
  expect(server.rows.get("o1")).toMatchObject({ title: "v5", close_reason: "Price", next_activity: "Call", details_version: 2 });
});
