import { expect, test } from "vitest";
import { blank } from "../src/pending.js";
import type { Opportunity } from "../src/types.js";
import { build, update, type View } from "../src/view.js";

const PHASES = [
  { id: "new", name: "New" },
  { id: "won", name: "Won" },
];
const card = (id: string, phase: string, position: string, version = 1): Opportunity => ({ ...blank(id), phase, position, version_number: version });
const shown = (view: View) => Object.fromEntries([...view.columns].map(([phase, column]) => [phase, column.map(({ id }) => id).join("")]));

test("columns are the board's phases in order, then others; cards are sorted by position and id", () => {
  const view = build(PHASES, [card("b", "new", "a1"), card("c", "odd", "a0"), card("d", "new", "a0"), card("a", "new", "a1")]);
  expect([...view.columns.keys()]).toEqual(["new", "won", "odd"]);
  expect(shown(view)).toEqual({ new: "dab", won: "", odd: "c" });
});

test("a change replaces only the columns that it affects", () => {
  const view = build(PHASES, [card("a", "new", "a0"), card("b", "new", "a1"), card("c", "won", "a0"), card("d", "odd", "a0")]);
  const next = update(view, PHASES, new Map([["a", card("a", "new", "a2", 2)]]));
  expect(shown(next)).toEqual({ new: "ba", won: "c", odd: "d" });
  expect(next.columns.get("won")).toBe(view.columns.get("won"));
  expect(next.columns.get("odd")).toBe(view.columns.get("odd"));
  expect(shown(view)).toEqual({ new: "ab", won: "c", odd: "d" });
});

test("without changes, the view is the same object", () => {
  const a = card("a", "new", "a0");
  const view = build(PHASES, [a]);
  expect(update(view, PHASES, new Map([["a", a], ["never", undefined]]))).toBe(view);
});

test("cards come, go, and change columns; an unknown column disappears when it is empty", () => {
  const view = build(PHASES, [card("a", "new", "a0"), card("b", "odd", "a0")]);
  const next = update(view, PHASES, new Map<string, Opportunity | undefined>([
    ["a", undefined],
    ["b", card("b", "won", "a1", 2)],
    ["c", card("c", "won", "a0")],
  ]));
  expect(shown(next)).toEqual({ new: "", won: "cb" });
});

test("incremental updates give the same result as a rebuild", () => {
  let seed = 11;
  const random = (below: number): number => (seed = (seed * 1103515245 + 12345) % 2 ** 31) % below;
  const cards = new Map<string, Opportunity>();
  let view = build(PHASES, []);
  for (let step = 0; step < 500; step++) {
    const changed = new Map<string, Opportunity | undefined>();
    for (let count = random(4) + 1; count > 0; count--) {
      const id = `c${random(30)}`;
      changed.set(id, random(4) === 0 ? undefined : card(id, ["new", "won", "odd"][random(3)] ?? "new", `a${random(6)}`, step));
    }
    for (const [id, one] of changed) one ? cards.set(id, one) : cards.delete(id);
    view = update(view, PHASES, changed);
    const rebuilt = shown(build(PHASES, cards.values()));
    expect(shown(view)).toEqual(rebuilt);
  }
});

test("one change among 2,000 cards does not sort a column again", () => {
  const cards = Array.from({ length: 2000 }, (_, at) => card(`c${at}`, ["new", "won"][at % 2] ?? "new", `a${String(at).padStart(4, "0")}V`));
  let reads = 0;
  const counted = ({ position, ...rest }: Opportunity): Opportunity => ({
    ...rest,
    get position() {
      reads++;
      return position;
    },
  });
  const view = build(PHASES, cards.map(counted));
  reads = 0;
  update(view, PHASES, new Map([["c7", counted(card("c7", "won", "a1500W", 2))]]));
  // Each card of the column is compared with the new one once, and each comparison reads at most four positions.
  expect(reads).toBeLessThanOrEqual(4 * 1000);
});
